import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { SmtpOptions } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { listen } from '../support/listen.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';
import { WAYS } from '../support/ways.js';

const ONE_MAIL: Partial<SmtpOptions> = { pool: false };

describe('QUIT', () => {
  it.each(Object.entries(WAYS))('waits for the word on the last mail: %s', async (_, without) => {
    await using server = await startServer({ without });
    const client = clientOf(server, ONE_MAIL);
    const lines = firstValueFrom(client.log$.pipe(toArray()));
    expect((await collect(client.send(MAIL))).error).toBeUndefined();
    await client.close();
    expect((await lines).slice(-3).map(({ text }) => text.replace(/: .*/, ''))).toEqual(['250 2.0.0 Ok', 'QUIT', '221 2.0.0 Bye']);
  });

  it('is said once on each connection, behind as many mails as it may carry', async () => {
    await using server = await startServer();
    const client = clientOf(server, { pool: { maxConnections: 1, maxMessages: 4 } });
    expect(outcomes(await sendAll(client, mails(10)))).toEqual(Array(10).fill('accepted'));
    await client.close();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([4, 4, 2]);
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line === 'C: QUIT').length)).toEqual([1, 1, 1]);
  });

  it.each([['implicit', false], ['starttls', true]] as const)('is said where TLS stands only if the server has greeted: %s, %s', async (security, isSaid) => {
    await using server = await startServer({ tls: security, faults: security === 'implicit' ? [{ at: 'greeting', do: 'silence' }] : [] });
    const client = clientOf(server, { ...ONE_MAIL, host: 'localhost', security: [security], tls: { ca: server.ca } });
    const subscription = client.send(MAIL).subscribe(({ type }) => { if (type === 'secured') subscription.unsubscribe(); });
    await new Promise<void>((resolve) => { subscription.add(resolve); });
    await client.close();
    await server.idle();
    expect(server.sessions[0]?.lines.includes('C: QUIT')).toBe(isSaid);
  });

  it('is not said where content was begun, and a cancelled mail is no mail that was cut', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'silence' }] });
    const client = clientOf(server, ONE_MAIL);
    const subscription = client.send(MAIL).subscribe(({ type }) => { if (type === 'progress') subscription.unsubscribe(); });
    await client.close();
    expect(subscription.closed).toBe(true);
    expect(server.sessions[0]?.lines).not.toContain('C: QUIT');
    expect(await firstValueFrom(client.closed$)).toEqual({ ended: 1, cut: 0 });
  });
});

it.each([
  ['221 bye', ['CHUNKING']], ['221 bye\r\n250 taken', ['CHUNKING']], ['221 bye', []], ['221 bye\r\n250 taken', []],
])('221 is the answer to QUIT, and no word on a mail: %j, %j', async (reply, offers) => {
  await using server = await listen((socket) => {
    let text = '';
    socket.write('220 hello\r\n');
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.startsWith('EHLO')) socket.write(['250-hello', ...offers.map((keyword) => `250-${keyword}`), '250 PIPELINING', ''].join('\r\n'));
      else if (/^BDAT/m.test(text)) socket.end(`250 sender\r\n250 recipient\r\n${reply}\r\n`);
      else if (text.endsWith('DATA\r\n')) socket.write('250 sender\r\n250 recipient\r\n354 go\r\n');
      else if (text.endsWith('.\r\n')) socket.end(`${reply}\r\n`);
      text = '';
    });
  });
  const client = clientOf(server, ONE_MAIL);
  expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_PROTOCOL', phase: 'end-of-data', outcome: 'unknown', retryable: false });
  await client.close();
});

it('a SASL response that is cancelled in the turn in which it was written is not answered with QUIT in its place', async () => {
  await using server = await startServer({ users: { ann: 'open sesame' }, mechanisms: ['LOGIN'] });
  await using client = clientOf(server, { allowInsecureAuth: true, auth: { user: 'ann', pass: 'open sesame' } });
  const told: string[] = [];
  const subscription = client.verify().subscribe();
  const lines = client.log$.subscribe(({ text, from }) => {
    told.push(text);
    if (from === 'client' && told.at(-2)?.startsWith('334') === true) process.nextTick(() => { subscription.unsubscribe(); });
  });
  await new Promise<void>((resolve) => { subscription.add(resolve); });
  await server.idle();
  lines.unsubscribe();
  expect(told).not.toContain('QUIT');
  expect(server.sessions[0]?.lines).not.toContain('C: QUIT');
});
