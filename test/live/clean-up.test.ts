import { setImmediate } from 'node:timers/promises';
import { config, finalize, firstValueFrom, Observable, Subject, Subscription, type MonoTypeOperatorFunction } from 'rxjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SmtpEvent } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { listen } from '../support/listen.js';

// What RxJS was told that nobody else was.
let reported: string[] = [];
beforeEach(() => {
  reported = [];
  config.onUnhandledError = (error: unknown) => { reported.push(String(error)); };
});
afterEach(() => { config.onUnhandledError = null; });

const clumsy = <T>(): MonoTypeOperatorFunction<T> => finalize(() => { throw new Error('clumsy'); });
const isReported = async (): Promise<void> => {
  while (reported.length === 0) await setImmediate();
  expect(reported[0]).toContain('clumsy');
};

it('what a subscriber throws when his mail is accepted loses nobody else the reply', async () => {
  // Takes every mail, and says so of three in one packet.
  await using server = await listen((socket) => {
    let taken = 0;
    socket.write('220 mail.example\r\n');
    socket.on('data', (data) => {
      const said = String(data);
      if (said.startsWith('EHLO')) socket.write('250-mail.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n');
      else if (said.startsWith('QUIT')) socket.end('221 bye\r\n');
      else taken += said.match(/BDAT/g)?.length ?? 0;
      // To MAIL, RCPT and BDAT of the first, and also to RSET of the others.
      if (taken === 3) socket.write('250 Ok\r\n'.repeat(3 + 4 + 4));
    });
  });
  await using client = clientOf(server, { pool: { maxConnections: 1 } });
  client.send(MAIL).pipe(clumsy()).subscribe();
  const others = await Promise.all([client.send(MAIL), client.send(MAIL)].map(collect));
  expect(others.map(({ types }) => types.at(-1))).toEqual(['accepted', 'accepted']);
  await isReported();
});

it('what a subscriber throws when his mail fails is in nobody\'s way, on its connection or behind it', async () => {
  await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'reset', skip: 1 }] });
  await using client = clientOf(server, { pool: { maxConnections: 1 } });
  await collect(client.send(MAIL));
  client.send(MAIL).pipe(clumsy()).subscribe({ error: () => undefined });
  const told = await Promise.all([client.send(MAIL), client.send(MAIL)].map(collect));
  expect(told.map(({ error }) => error?.outcome)).toEqual(['unknown', 'unknown']);
  await isReported();
});

it('what a subscriber throws when his mail fails at once lets in those that wait', async () => {
  await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'] });
  await using client = clientOf(server, { pool: { maxConnections: 1 } });
  const first = collect(client.send(MAIL));
  client.send({ ...MAIL, raw: () => { throw new Error('no file'); } }).pipe(clumsy<SmtpEvent>()).subscribe({ error: () => undefined });
  const last = collect(client.send(MAIL));
  expect((await first).error).toBeUndefined();
  expect((await last).error).toBeUndefined();
  await isReported();
});

it.each([['of a token', 'token'], ['of a socket', 'socket']])('a cancelled mail gives back its place, whatever the clean-up %s throws', async (_, option) => {
  await using server = await startServer({ users: { ann: 'open sesame' }, mechanisms: ['XOAUTH2'] });
  const isAsked$ = new Subject<void>();
  const neverEnding = (): Observable<never> => new Observable(() => { isAsked$.next(); return () => { throw new Error('clumsy'); }; });
  await using client = clientOf(server, { pool: { maxConnections: 1 }, ...(option === 'socket' ? { socket: neverEnding } : { auth: { user: 'ann', token: neverEnding }, allowInsecureAuth: true }) });
  for (const mail of [MAIL, MAIL]) {
    const isAsked = firstValueFrom(isAsked$);
    const sending = client.send(mail).subscribe();
    await isAsked;
    sending.unsubscribe();
  }
  await client.close();
  expect(await firstValueFrom(client.closed$)).toEqual({ ended: 0, cut: 0 });
});

it.each(['log$', 'state$', 'closed$'] as const)('close() ends all, whatever the clean-up of who listens to %s throws', async (stream) => {
  await using server = await startServer();
  const client = clientOf(server);
  let ended = 0;
  (client[stream] as Observable<unknown>).pipe(clumsy()).subscribe();
  for (const each of [client.log$, client.state$, client.closed$] as const) (each as Observable<unknown>).subscribe({ complete: () => { ended += 1; } });
  await collect(client.send(MAIL));
  await client.close();
  expect(ended).toBe(3);
  await isReported();
});

it('close() cuts all, whatever the clean-up of who checks the server throws', async () => {
  await using server = await startServer({ faults: [{ at: 'greeting', do: 'silence', times: Infinity }] });
  const client = clientOf(server, { timeouts: { close: 20, quit: 20 } });
  client.verify().pipe(clumsy()).subscribe({ error: () => undefined });
  const others = Promise.all([client.verify(), client.send(MAIL)].map(collect));
  await client.close();
  expect((await others).map(({ error }) => error?.code)).toEqual(['E_TIMEOUT', 'E_TIMEOUT']);
  await isReported();
});

it.each<[string, (more: () => string) => Iterable<string>]>([['a generator', function* (more) { for (;;) yield more(); }]])('no more of %s that gives tokens is asked for than is used', async (_, tokens) => {
  let asked = 0;
  await using server = await startServer({ users: { ann: 'token' }, mechanisms: ['XOAUTH2'] });
  await using client = clientOf(server, { auth: { user: 'ann', token: () => tokens(() => { asked += 1; return 'token'; }) }, allowInsecureAuth: true });
  expect((await collect(client.send(MAIL))).error).toBeUndefined();
  expect(asked).toBe(1);
});

it('content that emits at once is not listened to any more when its mail is cancelled', async () => {
  await using server = await startServer();
  await using client = clientOf(server);
  const sending = new Subscription();
  let emitted = 0;
  const content$ = new Observable<string>((subscriber) => {
    while (!subscriber.closed && emitted < 1_000) {
      emitted += 1;
      if (emitted === 3) sending.unsubscribe();
      subscriber.next('x');
    }
  });
  sending.add(client.send({ ...MAIL, raw: content$ }).subscribe());
  while (emitted === 0) await setImmediate();
  expect(emitted).toBe(3);
});

it('mails that are cancelled in the turn in which they were begun let nobody in between: none of them leaves, and none costs the next its turn', async () => {
  await using server = await startServer();
  await using client = clientOf(server, { pool: { maxConnections: 1, rate: { messages: 4, per: 60_000 } }, pipelining: { depth: 2 } });
  const mail = (subject: string, lines = 1) => ({ ...MAIL, raw: `Subject: ${subject}\r\n\r\n${'Hi\r\n'.repeat(lines)}` });
  await collect(client.send(mail('first')));
  const batch = client.sendAll(Array.from({ length: 20 }, () => mail('cancelled'))).subscribe();
  // Too large to be gathered with others: whatever stands in front of it leaves.
  const last = collect(client.send(mail('last', 10_000)));
  batch.unsubscribe();
  expect((await last).error).toBeUndefined();
  expect(server.messages.map(({ content }) => /^Subject: (\w+)/.exec(String(content))?.[1])).toEqual(['first', 'last']);
});
