import { lastValueFrom, map, mergeAll, range, timer, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SaslError, SmtpClient, type SaslMechanism, type SmtpOptions } from '../../src/index.js';
import { startServer, type Fault, type TestServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { eventOf } from '../support/collect.js';
import { foreignBytes } from '../support/foreign.js';
import { base64, clientOf, said, scripted, verify } from '../support/sign-in.js';

describe('a mechanism of one\'s own', () => {
  /** Counts who is inside: its state is one for all. */
  const ticket = (next: SaslMechanism['next'], more: Partial<SaslMechanism> = {}): SaslMechanism => ({ name: 'X-TICKET', done: true, start: () => undefined, next, ...more });

  it('that begins with a promise is refused, and nothing is left unhandled', async () => {
    await using server = await scripted('X-TICKET', () => Promise.resolve('ann'));
    const start = (() => Promise.reject(new Error('later'))) as never;
    const { error } = await verify(server, { auth: ticket(() => Buffer.alloc(0), { start }), allowInsecureAuth: true });
    expect(error).toMatchObject({ code: 'E_AUTH', outcome: 'not-sent' });
  });
  const server = (faults: readonly Fault[] = []): Promise<TestServer> => scripted('X-TICKET', async (ask) => (await ask('ticket?')) === 'a\r\nMAIL FROM:<>' ? 'ann' : undefined, { faults });

  it('gives bytes, which are never taken for commands', async () => {
    await using there = await server();
    expect(eventOf(await verify(there, { auth: ticket(() => Buffer.from('a\r\nMAIL FROM:<>')) }), 'authenticated')).toEqual({ type: 'authenticated', mechanism: 'X-TICKET', user: '' });
    expect(said(there)).toEqual(['AUTH X-TICKET', base64('a\r\nMAIL FROM:<>')]);
  });

  it.each([['at once', (bytes: Uint8Array) => bytes], ['later', (bytes: Uint8Array) => Promise.resolve(bytes)]])('may give bytes of another realm %s', async (_, given) => {
    await using there = await server();
    expect((await verify(there, { auth: ticket(() => given(foreignBytes('a\r\nMAIL FROM:<>'))) })).error).toBeUndefined();
  });

  it('may take its time', async () => {
    await using there = await server();
    const slow = ticket(() => lastValueFrom(timer(10).pipe(map(() => Buffer.from('a\r\nMAIL FROM:<>')))));
    expect((await verify(there, { auth: slow })).error).toBeUndefined();
  });

  it.each<[string, SaslMechanism['next'], string, string, readonly string[]]>([
    ['breaks', () => { throw new Error('no ticket'); }, 'E_AUTH', 'no ticket', ['*']],
    ['breaks later', () => Promise.reject(new Error('no ticket')), 'E_AUTH', 'no ticket', ['*']],
    ['gives no bytes', () => 'ticket' as unknown as Uint8Array, 'E_AUTH', 'must give a Uint8Array', ['*']],
    ['does not like the challenge', () => { throw new SaslError('it wants another ticket'); }, 'E_PROTOCOL', 'it wants another ticket', ['*']],
    ['says why in words of the server', () => { throw new SaslError('it said a\r\nb\u001b'); }, 'E_PROTOCOL', 'it said a\\u{d}\\u{a}b\\u{1b}', ['*']],
    ['never answers', () => new Promise(() => undefined), 'E_TIMEOUT', 'timeouts.command', ['AUTH X-TICKET']],
  ])('%s', async (_, next, code, words, end) => {
    await using there = await server();
    const { error } = await verify(there, { auth: ticket(next), timeouts: { command: 300 } });
    expect(error).toMatchObject({ code, phase: 'auth', outcome: 'not-sent' });
    expect(error!.message).toContain(words);
    expect(said(there).slice(-end.length)).toEqual(end);
  });

  it.each<[string, Fault, NonNullable<SmtpOptions['timeouts']>]>([
    ['hangs up', { at: 'auth-response', do: 'close' }, {}],
    ['is gone', { at: 'auth-response', do: 'reset' }, {}],
    ['is no server of SMTP', { at: 'auth-response', do: 'reply', reply: 'ERR' }, {}],
    ['is silent', { at: 'auth-response', do: 'silence' }, { quit: 100, command: 60_000 }],
  ])('breaks, and the server %s', async (_, fault, timeouts) => {
    await using there = await server([fault]);
    const { error } = await verify(there, { auth: ticket(() => { throw new Error('no ticket'); }), timeouts });
    expect(error).toMatchObject({ code: 'E_AUTH', phase: 'auth', outcome: 'not-sent', retryable: false, message: expect.stringContaining('no ticket') as string });
    expect(said(there)).toEqual(['AUTH X-TICKET', '*']);
  });

  it('is left without a word in the middle of its exchange', async () => {
    const there = await server();
    const told = await verify(there, { auth: ticket(() => new Promise(() => undefined)), timeouts: { operation: 500 } });
    expect(told.error).toMatchObject({ code: 'E_TIMEOUT', phase: 'auth', limit: 'operation' });
    await there[Symbol.asyncDispose]();
    expect(there.sessions[0]!.lines.findLast((line) => line.startsWith('C: '))).toBe('C: AUTH X-TICKET');
  });

  it.each([[undefined, 10], [3, 3], [20, 20]])('with maxRounds %j answers %i challenges', async (maxRounds, answers) => {
    await using there = await scripted('X-TICKET', async (ask) => { for (;;) if (await ask('more') === undefined) return undefined; });
    const { error } = await verify(there, { auth: ticket(() => Buffer.from('more'), maxRounds === undefined ? {} : { maxRounds }) });
    expect(error).toMatchObject({ code: 'E_PROTOCOL' });
    expect(said(there).filter((line) => line === base64('more'))).toHaveLength(answers);
  });

  it('answers a challenge more where its first word is too long for the command', async () => {
    await using there = await scripted('X-TICKET', async (ask) => { for (;;) if (await ask('more') === undefined) return undefined; });
    const { error } = await verify(there, { auth: ticket(() => Buffer.from('more'), { maxRounds: 1, start: () => Buffer.alloc(400, 'x') }) });
    expect(error).toMatchObject({ code: 'E_PROTOCOL' });
    expect(said(there)).toEqual(['AUTH X-TICKET', base64('x'.repeat(400)), base64('more'), '*']);
  });

  it('finds its words hidden where the server repeats them, however short', async () => {
    await using there = await startServer({ signIn: { 'X-TICKET': async (ask) => { await ask('ticket?'); return undefined; } }, faults: [{ at: 'auth-response', do: 'reply', reply: '535 5.7.8 no: 4711 open, NDcxMSBvcGVu' }] });
    const { error } = await verify(there, { auth: ticket(() => Buffer.from('4711 open')) });
    expect(error?.reply?.lines).toEqual(['5.7.8 no: ***, ***']);
  });

  it('finds its words hidden where it throws them itself, whatever blanks they hold', async () => {
    await using there = await server();
    const words = 'open  sesame\tonce more';
    const { error } = await verify(there, { auth: ticket(() => { throw new Error(`no\n${words}`); }, { start: () => Buffer.from(words) }) });
    expect(error?.message).toContain('failed: no ***. ');
  });

  it('finds them hidden also where it broke them into lines', async () => {
    await using there = await server();
    const { error } = await verify(there, { auth: ticket(() => { throw new Error('no open\n  sesame'); }, { start: () => Buffer.from('open sesame') }) });
    expect(error?.message).toContain('failed: no ***. ');
  });

  it('is refused with what is text in its words', async () => {
    await using there = await scripted('X-TICKET', async (ask) => { await ask('ticket?'); return undefined; });
    const refusal = { code: 5, at: null, why: 'too late' } as unknown as Record<string, string>;
    const { error } = await verify(there, { auth: ticket(() => Buffer.from('4711'), { refusal }) });
    expect(error).toMatchObject({ code: 'E_AUTH', outcome: 'refused', reply: { code: 535 } });
    expect(error).toHaveProperty('refusal', { why: 'too late' });
  });

  it('must tell when it is done', () => {
    const auth = { ...ticket(() => Buffer.from('')), done: undefined } as unknown as SaslMechanism;
    expect(() => new SmtpClient({ host: 'mail.example.com', auth })).toThrow('"auth.done"');
  });

  it('serves one connection at a time', async () => {
    let inside = 0;
    const there = await scripted('X-TICKET', async (ask) => ((await ask('1')) === '1' && (await ask('2')) === '2' ? 'ann' : undefined));
    await using _there = there;
    const counting: SaslMechanism = {
      name: 'X-TICKET',
      get done() { return inside === 2; },
      start: () => { inside = 0; return undefined; },
      next: async (challenge) => {
        inside += 1;
        expect(Buffer.from(challenge).toString()).toBe(String(inside));
        return lastValueFrom(timer(2).pipe(map(() => Buffer.from(challenge))));
      },
    };
    await using client = clientOf(there, { auth: counting, pool: { maxConnections: 4 } });
    const events = await lastValueFrom(range(4).pipe(map(() => client.send(MAIL)), mergeAll(), toArray()));
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(4);
    expect(there.sessions).toHaveLength(4);
  });
});
