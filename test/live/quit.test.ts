import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { SmtpOptions } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { listen } from '../support/listen.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';

const ONE_MAIL: Partial<SmtpOptions> = { pool: false };

describe('QUIT', () => {
  it.each([
    ['goes out with the last mail of a connection, where content is counted', [], ['12 bytes of content', 'QUIT', '250 2.1.0 Ok']],
    ['waits for the word on content that ends with a dot', ['CHUNKING'], ['250 2.0.0 Ok', 'QUIT', '221 2.0.0 Bye']],
    ['waits where nothing may be sent ahead', ['PIPELINING'], ['250 2.0.0 Ok', 'QUIT', '221 2.0.0 Bye']],
  ])('%s', async (_, without, expected) => {
    await using server = await startServer({ without });
    const client = clientOf(server, ONE_MAIL);
    const lines = firstValueFrom(client.log$.pipe(toArray()));
    expect((await collect(client.send({ ...MAIL, raw: 'Subject: a\r\n' }))).error).toBeUndefined();
    await client.close();
    const texts = (await lines).map(({ text }) => text.replace(/: .*/, ''));
    const at = texts.indexOf('QUIT');
    expect(texts.slice(at - 1, at + 2)).toEqual(expected);
    expect(texts.at(-1)).toBe('221 2.0.0 Bye');
    expect(texts.filter((text) => text === 'QUIT')).toHaveLength(1);
  });

  it('is said once on each connection, behind as many mails as it may carry', async () => {
    await using server = await startServer();
    const client = clientOf(server, { pool: { maxConnections: 1, maxMessages: 4 } });
    expect(outcomes(await sendAll(client, mails(10)))).toEqual(Array(10).fill('accepted'));
    await client.close();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([4, 4, 2]);
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line === 'C: QUIT').length)).toEqual([1, 1, 1]);
  });

  it('does not end a connection that a cancelled mail has left before', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'silence' }] });
    const client = clientOf(server, ONE_MAIL);
    const subscription = client.send(MAIL).subscribe(({ type }) => { if (type === 'progress') subscription.unsubscribe(); });
    await client.close();
    expect(subscription.closed).toBe(true);
    expect(await firstValueFrom(client.closed$)).toEqual({ ended: 1, cut: 0 });
  });
});

describe('behind QUIT that went out with a mail', () => {
  /** Takes an envelope, and answers all the rest at once with these. */
  const answering = (...replies: readonly string[]) => listen((socket) => {
    let text = '';
    socket.write('220 hello\r\n');
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.startsWith('EHLO')) socket.write('250-hello\r\n250-PIPELINING\r\n250 CHUNKING\r\n');
      else if (text.includes('QUIT')) socket.end(['250 sender', '250 recipient', ...replies, ''].join('\r\n'));
      text = '';
    });
  });

  it.each([
    ['a mail is accepted', ['250 taken', '221 bye'], undefined],
    ['a mail is accepted without a goodbye', ['250 taken'], undefined],
    ['a mail is accepted if the goodbye has another code', ['250 taken', '250 bye'], undefined],
    ['a mail is accepted if the server does not know QUIT there', ['250 taken', '503 what?'], undefined],
    ['a mail is accepted if the server closes the channel by itself', ['250 taken', '421 too late'], undefined],
    ['a mail is refused', ['554 no', '221 bye'], { code: 'E_REPLY', phase: 'end-of-data', outcome: 'refused' }],
    ['a refusal behind one reply too many is no answer to QUIT', ['250 recipient', '554 no'], { code: 'E_PROTOCOL', outcome: 'unknown' }],
    ['nor is one that may be gone tomorrow', ['250 recipient', '451 not now', '221 bye'], { code: 'E_PROTOCOL', outcome: 'unknown' }],
    ['a goodbye is no word on a mail', ['221 bye'], { code: 'E_PROTOCOL', phase: 'end-of-data', outcome: 'unknown' }],
    ['nor is one that the word on it follows', ['221 bye', '250 taken'], { code: 'E_PROTOCOL', phase: 'end-of-data', outcome: 'unknown' }],
    ['a lost connection leaves the mail in doubt', [], { code: 'E_CLOSED', phase: 'end-of-data', outcome: 'unknown' }],
  ])('%s', async (_, replies, error) => {
    await using server = await answering(...replies);
    const client = clientOf(server, ONE_MAIL);
    const told = await collect(client.send(MAIL));
    if (error === undefined) expect(told.error).toBeUndefined();
    else expect(told.error).toMatchObject(error);
    await client.close();
  });

  it.each([1, 2])('half a reply to it is no word on the mail: %d octets', async (octets) => {
    for (const reply of ['421 too late', '502 what?']) {
      await using server = await answering(`250 taken\r\n${reply.slice(0, octets)}`);
      const client = clientOf(server, ONE_MAIL);
      expect((await collect(client.send(MAIL))).error).toBeUndefined();
      await client.close();
    }
  });

  it('a server that does not answer it is not asked so again', async () => {
    await using server = await startServer({ faults: [{ at: 'quit', do: 'silence', session: 1 }] });
    const client = clientOf(server, { pool: { maxConnections: 1, maxMessages: 1 } });
    const lines = firstValueFrom(client.log$.pipe(toArray()));
    for (let mail = 0; mail < 3; mail += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
    await client.close();
    const before = (await lines).flatMap(({ text }, index, all) => (text === 'QUIT' ? [all[index - 1]!.text.split(' ')[0]] : []));
    expect(before).toEqual(['22', '250', '250']);
  });
});
