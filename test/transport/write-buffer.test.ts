import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { WriteBuffer } from '../../src/transport/write-buffer.js';
import { listen } from '../support/listen.js';

/** What came out, write by write: the very memory, as a stream in this process hands it on. */
const writesOf = (): { readonly out: PassThrough; readonly writes: Buffer[] } => {
  const writes: Buffer[] = [];
  const out = new PassThrough({ highWaterMark: 2 ** 24 });
  out.on('data', (chunk: Buffer) => { writes.push(chunk); });
  return { out, writes };
};

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('what is written in one turn', () => {
  it('leaves in one write, text and bytes', async () => {
    const { out, writes } = writesOf();
    const buffer = new WriteBuffer(out);
    for (const piece of ['MAIL FROM:<änn@exämple.com>\r\n', Buffer.from('.\r\n'), 'RCPT TO:<🙂@example.org>\r\n']) buffer.write(piece);
    await turn();
    expect(writes.map(String)).toEqual(['MAIL FROM:<änn@exämple.com>\r\n.\r\nRCPT TO:<🙂@example.org>\r\n']);
  });

  it('leaves where fake timers came later', async () => {
    const { out, writes } = writesOf();
    const fake = vi.spyOn(process, 'nextTick').mockReturnValue(undefined);
    syncBuiltinESMExports();
    new WriteBuffer(out).write('NOOP\r\n');
    fake.mockRestore();
    syncBuiltinESMExports();
    await turn();
    expect(writes.map(String)).toEqual(['NOOP\r\n']);
  });

  it('leaves in its order, whatever is large or small', async () => {
    const piece = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(40_000).map((length) => 'x'.repeat(length)), fc.nat(90_000).map((length) => Buffer.alloc(length, length)));
    await fc.assert(fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 3 }), async (turns) => {
      const { out, writes } = writesOf();
      const buffer = new WriteBuffer(out);
      for (const pieces of turns) {
        for (const given of pieces) buffer.write(given);
        await turn();
      }
      expect(Buffer.concat(writes).equals(Buffer.concat(turns.flat().map((given) => Buffer.from(given as string))))).toBe(true);
    }), { numRuns: 50 });
  });

  it('can be taken back as long as nothing of it has left', async () => {
    const piece = fc.tuple(fc.oneof({ weight: 5, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) }, fc.nat(30_000).map((length) => 'x'.repeat(length))), fc.boolean());
    await fc.assert(fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 3 }), async (turns) => {
      const { out, writes } = writesOf();
      const buffer = new WriteBuffer(out);
      let kept = '';
      for (const pieces of turns) {
        const places = pieces.map(([text]) => {
          const from = buffer.position;
          buffer.write(text);
          return [from, buffer.position] as const;
        });
        // Behind something large all that came before it has left.
        const isWithdrawn = places.map(([from, to], index) => pieces[index]![1] && buffer.withdraw(from, to));
        kept += pieces.filter((_, index) => !isWithdrawn[index]).map(([text]) => text).join('');
        if (pieces.every(([text]) => text.length < 100)) expect(isWithdrawn).toEqual(pieces.map(([, isUnwanted]) => isUnwanted));
        await turn();
        for (const [from, to] of places) if (to > from) expect(buffer.withdraw(from, to)).toBe(false);
      }
      expect(Buffer.concat(writes).toString()).toBe(kept);
    }), { numRuns: 100 });
  });

  it('may be memory that is used again', async () => {
    const { out, writes } = writesOf();
    const buffer = new WriteBuffer(out);
    const memory = Buffer.alloc(3);
    for (const letter of 'abc') {
      buffer.write(letter);
      await new Promise<void>((resolve) => { buffer.take(memory.fill(letter), resolve); });
    }
    expect(Buffer.concat(writes).toString()).toBe('aaaabbbbcccc');
  });

  it('makes room for the next when what the peer has said was read', async () => {
    const peers: Socket[] = [];
    await using server = await listen((peer) => {
      peers.push(peer);
      peer.write('220 welcome');
    });
    const events: string[] = [];
    const socket = connect(server.port, server.host).on('data', (reply) => { events.push(String(reply)); });
    await once(socket, 'data');
    // Over loopback that is there at once.
    peers[0]?.end('552 too much');
    await new Promise<void>((resolve) => { new WriteBuffer(socket).take(Buffer.alloc(100_000), resolve); }).then(() => { events.push('taken'); });
    expect(events).toEqual(['220 welcome', '552 too much', 'taken']);
    socket.destroy();
    peers[0]?.destroy();
  });

  it('is memory that is not to be used again where the stream fails', async () => {
    const { out } = writesOf();
    const buffer = new WriteBuffer(out.destroy());
    let isTaken = false;
    buffer.take(Buffer.from('abc'), () => { isTaken = true; });
    await turn();
    expect(isTaken).toBe(false);
  });

  it('is dropped when the stream has gone', async () => {
    const { out, writes } = writesOf();
    new WriteBuffer(out).write('NOOP\r\n');
    out.destroy();
    await turn();
    expect(writes).toEqual([]);
  });
});
