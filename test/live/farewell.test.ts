import { filter, firstValueFrom, lastValueFrom, skip, takeUntil, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LogLine, SmtpClient } from '../../src/index.js';
import { startServer, type ServerOptions } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { clientOf, mails, outcomes } from '../support/many-mails.js';

const FAREWELL = '421 4.3.2 shutting down.';

/** When the client has heard the goodbye. */
const heard = (client: SmtpClient): Promise<LogLine> => firstValueFrom(client.log$.pipe(filter(({ text }) => text === FAREWELL)));

describe('a goodbye that nothing had asked for', () => {
  it('refuses the sign-in that waits for its token', async () => {
    await using server = await startServer({ signIn: { XOAUTH2: () => Promise.resolve('ann') } });
    await using client = clientOf(server, {
      allowInsecureAuth: true,
      auth: { user: 'ann', token: async () => { server.disconnect(FAREWELL); await heard(client); return 'token'; } },
    });
    expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_REPLY', phase: 'idle', outcome: 'refused', retryable: true, reply: { code: 421 }, message: expect.stringContaining(' shutting down. The mail was not sent') as string });
  });
});

describe('the end of a connection is noticed at once while a source is waited for', () => {
  describe.each([
    ['before the first chunk', [], '250 2.1.5 Ok'],
    ['behind a chunk that was answered', [], '250 2.0.0 17 bytes'],
    ['behind DATA', ['CHUNKING'], '354 End data with <CR><LF>.<CR><LF>'],
  ] as const)('%s', (_, without, last) => {
    it.each([
      ['with a goodbye', FAREWELL, { code: 'E_REPLY', phase: 'body', outcome: 'refused', retryable: true }],
      ['with 221', '221 2.0.0 Bye', { code: 'E_CLOSED', phase: 'body', outcome: 'not-sent', retryable: true, message: expect.stringContaining('221 2.0.0 Bye') as string }],
      ['without a word', undefined, { code: 'E_CLOSED', phase: 'body', outcome: 'not-sent', retryable: true }],
    ] as const)('%s', async (_title, farewell, expected) => {
      await using server = await startServer({ without });
      await using client = clientOf(server);
      async function* endless() {
        if (last.endsWith('bytes')) yield 'Subject: slow\r\n\r\n';
        await new Promise(() => undefined);
      }
      const isAnswered = firstValueFrom(client.log$.pipe(filter(({ text }) => text === last)));
      const told = collect(client.send({ ...MAIL, raw: endless }));
      await isAnswered;
      server.disconnect(farewell);
      expect((await told).error).toMatchObject(expected);
      expect((await collect(client.send(MAIL))).error).toBeUndefined();
      expect(server.messages).toHaveLength(1);
    });
  });
});

it('a greeting that refuses is the reason, whatever is said behind it', async () => {
  await using server = await startServer({ faults: [{ at: 'greeting', do: 'glue', reply: '554 5.7.1 Blocked', extra: '221 2.0.0 Bye\r\n' }] });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_REPLY', phase: 'greeting', outcome: 'refused', reply: { code: 554 } });
});

describe('a goodbye in the same breath leaves a refusal what it is', () => {
  const extra = `${FAREWELL}\r\n`;
  it.each<[string, Partial<ServerOptions>, object]>([
    ['to the sender', { without: ['PIPELINING'], faults: [{ at: 'mail', do: 'glue', reply: '550 5.7.1 Blocked', extra }] }, { phase: 'mail', reply: { code: 550 } }],
    ['to the recipient', { without: ['PIPELINING'], faults: [{ at: 'rcpt', do: 'glue', reply: '550 5.1.1 Unknown', extra }] }, { phase: 'rcpt', reply: { code: 550 } }],
    ['to an envelope', { without: ['CHUNKING'], onRecipient: () => '550 5.1.1 Unknown', faults: [{ at: 'data', do: 'glue', reply: '503 5.5.1 No recipients', extra }] }, { phase: 'rcpt', reply: { code: 550 } }],
    ['to DATA', { without: ['CHUNKING', 'PIPELINING'], faults: [{ at: 'data', do: 'glue', reply: '554 5.7.1 Not today', extra }] }, { phase: 'data', reply: { code: 554 } }],
    ['to the password', { users: { ann: 'open sesame' }, faults: [{ at: 'auth', do: 'glue', reply: '535 5.7.8 Wrong', extra }] }, { code: 'E_AUTH', phase: 'auth', reply: { code: 535 } }],
  ])('%s', async (_to, options, expected) => {
    await using server = await startServer(options);
    await using client = clientOf(server, options.users === undefined ? {} : { allowInsecureAuth: true, auth: { user: 'ann', pass: 'open says me' } });
    expect((await collect(client.send(MAIL))).error).toMatchObject({ outcome: 'refused', retryable: false, ...expected });
    // And yet the connection is over.
    await collect(client.send(MAIL));
    expect(server.sessions.map(({ lines }) => lines.filter((line) => /^C: (?:QUIT|RSET)$/.test(line)))).toEqual(options.users === undefined ? [[], []] : [[]]);
  });
});

describe('a connection on which the server said goodbye takes no other mail', () => {
  it('to a chunk of content', async () => {
    await using server = await startServer({ size: 0, faults: [{ at: 'bdat', do: 'reply', reply: FAREWELL }] });
    await using client = clientOf(server);
    expect((await collect(client.send({ ...MAIL, raw: 'x'.repeat(3_000_000) }))).error).toMatchObject({ phase: 'body', outcome: 'refused', retryable: true, message: expect.stringContaining(' shutting down. Send it again later.') as string });
    expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([1, 1]);
  });

  it('to a mail that nobody waits for any more', async () => {
    await using server = await startServer({ faults: [{ at: 'mail', skip: 1, do: 'delay', ms: 20, reply: FAREWELL }] });
    await using client = clientOf(server);
    const haveLeft = firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content')), skip(1)));
    const isGone = heard(client);
    const [first] = await Promise.all([collect(client.send(MAIL)), lastValueFrom(client.send(MAIL).pipe(takeUntil(haveLeft)), { defaultValue: undefined })]);
    expect(first.error).toBeUndefined();
    await isGone;
    expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([2, 1]);
  });
});

it('content whose last chunk has left when the connection ends is in doubt, also where an earlier one was not answered', async () => {
  await using server = await startServer({ faults: [{ at: 'bdat', do: 'silence' }] });
  await using client = clientOf(server);
  const hasLeft = firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content'))));
  const told = collect(client.send({ ...MAIL, raw: 'x'.repeat(3_000_000) }));
  await hasLeft;
  server.disconnect();
  expect((await told).error).toMatchObject({ code: 'E_CLOSED', outcome: 'unknown', retryable: false });
});

describe('behind a goodbye, what is left unsaid is not waited for', () => {
  const silence = [{ at: 'mail', do: 'reply', reply: FAREWELL }, { at: 'rcpt', do: 'silence' }] as const;

  it.each([['an envelope', ['CHUNKING']], ['a whole mail', []]] as const)('by %s', async (_, without) => {
    await using server = await startServer({ without, faults: silence });
    await using client = clientOf(server);
    const { error } = await collect(client.send(MAIL));
    expect(error).toMatchObject({ code: 'E_REPLY', phase: 'mail', outcome: 'refused', retryable: true, reply: { code: 421 } });
  });

  it('by a mail on a connection that took others, which goes on a new one', async () => {
    await using server = await startServer({ without: ['CHUNKING'], faults: silence.map((fault) => ({ ...fault, skip: 1 })) });
    await using client = clientOf(server);
    expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(server.sessions).toHaveLength(2);
  });

  it('but what has left behind the mail that it answers: the server may take it', async () => {
    const ms = 300;
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'reply', reply: FAREWELL, skip: 1 }, { at: 'rset', do: 'delay', ms }] });
    await using client = clientOf(server, { timeouts: { quit: 50 } });
    await collect(client.send(MAIL));
    const ended = await Promise.all([1, 2].map(() => collect(client.send(MAIL))));
    expect(ended.map(({ error }) => error?.reply?.code)).toEqual([421, undefined]);
    expect(server.sessions).toHaveLength(1);
    expect(server.messages).toHaveLength(2);
  });

  it('but a recipient that it took behind the goodbye to another one: the mail is in doubt', async () => {
    await using server = await startServer({ faults: [{ at: 'rcpt', do: 'reply', reply: FAREWELL, skip: 1 }, { at: 'end-of-data', do: 'close', skip: 1 }] });
    await using client = clientOf(server);
    await collect(client.send(MAIL));
    const { error } = await collect(client.send({ ...MAIL, envelope: { from: 'ann@example.com', to: ['bob@example.org', 'eve@example.org'] } }));
    expect(error).toMatchObject({ code: 'E_CLOSED', outcome: 'unknown', retryable: false, message: expect.stringContaining(FAREWELL) as string });
    expect(server.sessions).toHaveLength(1);
  });

  it('but recipients that it has not answered: the mail is in doubt', async () => {
    await using server = await startServer({ faults: [{ at: 'rcpt', do: 'reply', reply: FAREWELL, skip: 1 }, { at: 'rcpt', do: 'silence', skip: 1 }] });
    await using client = clientOf(server, { timeouts: { quit: 50, command: 200 } });
    await collect(client.send(MAIL));
    const { error, types } = await collect(client.send({ ...MAIL, envelope: { from: 'ann@example.com', to: ['bob@example.org', 'eve@example.org'] } }));
    expect(error).toMatchObject({ outcome: 'unknown', retryable: false, message: expect.stringContaining(FAREWELL) as string });
    expect(types).not.toContain('accepted');
    expect(server.sessions).toHaveLength(1);
  });
});

it('221 behind the last reply that was due says nothing of mails that are sent ahead', async () => {
  await using server = await startServer({ faults: [{ at: 'end-of-data', session: 1, skip: 3, do: 'glue', extra: '221 2.0.0 Enough\r\n' }] });
  await using client = clientOf(server);
  const said: string[] = [];
  client.log$.pipe(filter(({ connection }) => connection === 2)).subscribe(({ from, text }) => { said.push(text.endsWith('bytes of content') ? 'content' : from); });
  const events = await lastValueFrom(client.sendAll(mails(8), { concurrency: 2 }).pipe(toArray()));
  expect(outcomes(events)).toEqual(Array(8).fill('accepted'));
  expect(said.join(' ')).toMatch(/content(?: client)+ content/);
});
