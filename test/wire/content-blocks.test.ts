import { Readable } from 'node:stream';
import { concat, EMPTY, ignoreElements, lastValueFrom, NEVER, timer, type Observable, type SchedulerLike } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { OpenContent } from '../../src/message/content.js';
import { Untouched } from '../../src/protocol/content-encoder.js';
import type { SmtpError } from '../../src/protocol/error.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { writeBlocks } from '../../src/wire/content-blocks.js';
import { writeChunks } from '../../src/wire/write-chunks.js';
import { writeData } from '../../src/wire/write-data.js';
import { Answering } from '../support/answering.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';
import { inVirtualTime } from '../support/marbles.js';

const KB = 1024;
const BYTES = Buffer.alloc(12 * KB * KB, 'x');
const atHand = (size: number): OpenContent => ({ kind: 'bytes', bytes: BYTES.subarray(0, size), dispose: () => undefined });

/** The sizes of all blocks on a line that takes so many bytes in a millisecond. */
const sizesOn = (speed: (sent: number) => number, size = BYTES.length): readonly number[] => {
  const sizes: number[] = [];
  inVirtualTime(({ flush }, scheduler) => {
    const wire = wireOn(new FakeStream(NEVER), { scheduler });
    let sent = 0;
    const write = ({ bytes }: { readonly bytes: Buffer }): Observable<never> => {
      sizes.push(bytes.length);
      sent += bytes.length;
      const ms = bytes.length / speed(sent);
      return ms < 1 ? EMPTY : timer(ms, scheduler).pipe(ignoreElements());
    };
    writeBlocks(wire, atHand(size), { operation: deadline(scheduler, 'operation', Infinity), encoder: new Untouched(), eightBit: true }, write).subscribe();
    flush();
    wire.release();
  });
  return sizes;
};

describe('the blocks of a content', () => {
  it('are few on a line that takes them at once', () => {
    const sizes = sizesOn(() => Infinity);
    expect(sizes.length).toBeLessThan(12);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * KB * KB);
  });

  it('are what leaves in a tenth of a second', () => {
    const sizes = sizesOn(() => 4 * KB);
    for (const size of sizes.slice(2, -1)) {
      expect(size).toBeGreaterThan(200 * KB);
      expect(size).toBeLessThanOrEqual(400 * KB);
    }
  });

  it('shrink where a line turns slow, but not for ever, and grow again', () => {
    const sizes = sizesOn((sent) => (sent > 4 * KB * KB && sent < 8 * KB * KB ? 0.1 * KB : 40 * KB));
    const slow = sizes.slice(1, -2);
    expect(Math.min(...slow)).toBeGreaterThan(32 * KB);
    expect(Math.min(...slow)).toBeLessThan(64 * KB);
    expect(sizes.at(-3)).toBeGreaterThan(KB * KB);
  });

  it('are no smaller than what a line of 1 KiB/s takes within their limit, where they take long', () => {
    expect(Math.min(...sizesOn(() => 0.3).slice(2, -2))).toBeGreaterThan(179 * KB);
    expect(Math.max(...sizesOn(() => 2).slice(2, -2))).toBeLessThanOrEqual(64 * KB);
  });

  it('are one where the content is small, and end in a small one where it is not', () => {
    expect(sizesOn(() => Infinity, 16 * KB)).toEqual([16 * KB]);
    for (const size of [60, 900, 12 * KB]) expect(sizesOn(() => Infinity, size * KB).at(-1)).toBe(16 * KB);
  });

  it('of a small stream stand in little memory, however fast the line is', async () => {
    const chunks = Readable.from([BYTES.subarray(0, 50 * KB)])[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const wire = wireOn(new FakeStream(NEVER));
    const memory: number[] = [];
    const write = ({ bytes }: { readonly bytes: Buffer }): Observable<never> => {
      memory.push(bytes.buffer.byteLength);
      return EMPTY;
    };
    await lastValueFrom(writeBlocks(wire, { kind: 'stream', chunks, dispose: () => undefined }, { operation: deadline(monotonic, 'operation', Infinity), encoder: new Untouched(), eightBit: true }, write));
    wire.release();
    expect(memory.length).toBeGreaterThan(1);
    expect(Math.max(...memory)).toBeLessThanOrEqual(256 * KB);
  });

  it('are all of the content, each byte once', () => {
    for (const speed of [1, 10, 100, Infinity]) expect(sizesOn(() => speed * KB).reduce((sum, size) => sum + size, 0)).toBe(BYTES.length);
  });
});

describe('content that the server takes no more of', () => {
  // Of the small one, that is all but its end.
  it.each([
    ['12 MB in chunks', writeChunks, 12 * KB], ['12 MB behind DATA', writeData, 12 * KB], ['60 KB in chunks', writeChunks, 60], ['60 KB behind DATA', writeData, 60],
  ] as const)('is given up when its limit has passed, also where nothing is due: %s', (_, write, size) => {
    inVirtualTime(({ flush }, scheduler) => {
      // Each chunk is answered before it is there, and the second one never leaves.
      const stream = new (class extends Answering {
        override take(bytes: Uint8Array): Observable<never> {
          return concat(super.take(bytes), this.written.filter((text) => text.startsWith('x')).length < 2 ? EMPTY : NEVER);
        }
      })(scheduler, 1);
      const wire = wireOn(stream, { scheduler });
      const failures: unknown[] = [];
      write(wire, atHand(size * KB), { operation: deadline(scheduler, 'operation', Infinity), encoder: new Untouched(), eightBit: true }).subscribe({ error: (error: unknown) => { failures.push(error); } });
      flush();
      expect(failures).toEqual([expect.objectContaining({ code: 'E_TIMEOUT', limit: 'dataBlock', phase: 'body', outcome: 'not-sent' })]);
      // It is of no use to anybody, and RSET would wait on it as well.
      expect(wire.mustDrop).toBe(true);
      expect(stream.written).not.toContain('RSET\r\n');
      wire.release();
    });
  });
});

it('chunks that are unanswered when the end has left have the time that its reply has', () => {
  inVirtualTime(({ flush }, scheduler) => {
    const wire = wireOn(new FakeStream(NEVER), { scheduler, timeouts: { dataBlock: 100, endOfData: 1_000 } });
    const failures: unknown[] = [];
    writeChunks(wire, atHand(60 * KB), { operation: deadline(scheduler, 'operation', Infinity), encoder: new Untouched(), eightBit: true }).subscribe({ error: (error: unknown) => { failures.push(error); } });
    flush();
    expect(failures).toEqual([expect.objectContaining({ code: 'E_TIMEOUT', limit: 'endOfData', phase: 'end-of-data', outcome: 'unknown', elapsed: 1_000 })]);
  });
});

it.each([['empty', ''], ['tiny', 'x']])('a source that always has %s chunks ready leaves others their turn', async (_, chunk) => {
  let hasTurned = false;
  setImmediate(() => { hasTurned = true; });
  let given = 0;
  const next = (): Promise<IteratorResult<string, undefined>> => {
    given += 1;
    return Promise.resolve(hasTurned || given > 1_000_000 ? { done: true, value: undefined } : { done: false, value: chunk });
  };
  const wire = wireOn(new FakeStream(NEVER));
  await lastValueFrom(writeBlocks(wire, { kind: 'stream', chunks: { next }, dispose: () => undefined }, { operation: deadline(monotonic, 'operation', Infinity), encoder: new Untouched(), eightBit: true }, () => EMPTY));
  wire.release();
  expect(hasTurned).toBe(true);
});

describe('a slow source', () => {
  /** Blocks as they leave, and an error: from a source that gives a byte each so many milliseconds, three times, and then does as it is told. A block is taken in `taking`. */
  const told = (every: number, dataBlock: number, end: 'ends' | 'goes silent', taking = 0): readonly string[] => {
    const told: string[] = [];
    inVirtualTime(({ flush }, scheduler) => {
      const wire = wireOn(new FakeStream(NEVER), { scheduler, timeouts: { dataBlock } });
      let given = 0;
      // Promises know no virtual time.
      const next = (): Promise<IteratorResult<string, undefined>> => ({
        then: (tell: (result: IteratorResult<string, undefined>) => void) => {
          given += 1;
          if (given <= 3) scheduler.schedule(() => { tell({ done: false, value: 'x' }); }, every);
          else if (end === 'ends') tell({ done: true, value: undefined });
        },
      }) as never;
      const write = ({ bytes }: { readonly bytes: Buffer }): Observable<never> => {
        told.push(`${String(scheduler.now())} ${bytes.toString()}`);
        return taking === 0 ? EMPTY : timer(taking, scheduler).pipe(ignoreElements());
      };
      writeBlocks(wire, { kind: 'stream', chunks: { next }, dispose: () => undefined }, { operation: deadline(scheduler, 'operation', Infinity), encoder: new Untouched(), eightBit: true }, write)
        .subscribe({ error: (error: unknown) => { told.push(`${String(scheduler.now())} ${(error as SmtpError).code}`); } });
      flush();
      wire.release();
    });
    return told;
  };

  it.each([[300, 500, ['300 x', '600 x', '900 x']], [950, 1_000, ['950 x', '1900 x', '2850 x']], [60, 80, ['60 x', '120 x', '180 x']], [30, 1_000, ['90 xxx']], [15, 40, ['20 x', '40 x', '45 x']]] as const)(
    'that gives something each %i ms is no timeout where the limit is %i', (every, dataBlock, blocks) => { expect(told(every, dataBlock, 'ends')).toEqual(blocks); });

  it('that gives something while a block is being taken loses nothing of it', () => { expect(told(70, 1_000, 'ends', 200)).toEqual(['100 x', '370 xx']); });

  it('that gives nothing any more is one', () => { expect(told(300, 500, 'goes silent')).toEqual(['300 x', '600 x', '900 x', '1400 E_TIMEOUT']); });
});

describe('a source that gives a byte each 300 ms', () => {
  const slow = (scheduler: SchedulerLike, bytes: number): OpenContent => {
    let given = 0;
    // Promises know no virtual time.
    const next = (): Promise<IteratorResult<string, undefined>> => ({
      then: (tell: (result: IteratorResult<string, undefined>) => void) => {
        given += 1;
        scheduler.schedule(() => { tell(given <= bytes ? { done: false, value: 'x' } : { done: true, value: undefined }); }, 300);
      },
    }) as never;
    return { kind: 'stream', chunks: { next }, dispose: () => undefined };
  };

  /** How it ends, and what was written. */
  const send = (write: typeof writeChunks, bytes: number, dataBlock: number, isThere = true) => {
    let told: unknown;
    let written: readonly string[] = [];
    inVirtualTime(({ flush }, scheduler) => {
      const stream = new Answering(scheduler, 1);
      stream.isThere = isThere;
      const wire = wireOn(stream, { scheduler, timeouts: { dataBlock } });
      write(wire, slow(scheduler, bytes), { operation: deadline(scheduler, 'operation', Infinity), encoder: new Untouched(), eightBit: true })
        .subscribe({ next: (event) => { told = event; }, error: (error: unknown) => { told = error; } });
      flush();
      wire.release();
      ({ written } = stream);
    });
    return { told, written };
  };

  it('has as many chunks as it gives, where each is answered before the next', () => {
    const { told, written } = send(writeChunks, 12, 180_000);
    expect(told).toMatchObject({ type: 'verdict' });
    expect(written.filter((text) => text.startsWith('BDAT'))).toHaveLength(13);
  });

  it('may take longer than the limit of a block behind DATA, where nothing is due before its end', () => {
    expect(send(writeData, 3, 500, false).told).toMatchObject({ code: 'E_TIMEOUT', limit: 'endOfData', phase: 'end-of-data', outcome: 'unknown', elapsed: 600_000 });
  });

  it('goes on for no longer than the limit of a block, where its chunks are not answered', () => {
    expect(send(writeChunks, 100, 1_000, false).told).toMatchObject({ code: 'E_TIMEOUT', limit: 'dataBlock', phase: 'body', outcome: 'not-sent', elapsed: 1_000 });
  });
});
