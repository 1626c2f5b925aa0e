import { once } from 'node:events';
import { connect } from 'node:net';
import { BehaviorSubject, delay, filter, firstValueFrom, lastValueFrom, map, mergeAll, Observable, of, range, Subject, tap, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Reply, SmtpEvent, TokenFunction } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect, eventOf } from '../support/collect.js';
import { clientOf, said, verify } from '../support/sign-in.js';

const TOKEN = 'ya29.a0AfB_token-of-ann~0123456789';

describe('a token', () => {
  const users = { ann: TOKEN };
  const mechanisms = ['XOAUTH2'];

  it('is asked for once, however many connections need one', async () => {
    await using server = await startServer({ users, mechanisms });
    let calls = 0;
    const introduced$ = new BehaviorSubject(0);
    // It comes when all four are waiting for it.
    const token = (): Observable<string> => { calls += 1; return introduced$.pipe(filter((count) => count === 4), delay(0), map(() => TOKEN)); };
    await using client = clientOf(server, { pool: { maxConnections: 4 }, auth: { user: 'ann', token } });
    const send = (): Observable<SmtpEvent> => client.send(MAIL).pipe(tap(({ type }) => { if (type === 'introduced') introduced$.next(introduced$.value + 1); }));
    const events = await lastValueFrom(range(4).pipe(map(send), mergeAll(), toArray()));
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(4);
    expect(server.sessions).toHaveLength(4);
    expect(calls).toBe(1);
  });

  it('is asked for once where connections are made together, though each has to wait for nobody', async () => {
    await using server = await startServer({ users, mechanisms });
    const sockets = [1, 2, 3, 4].map(() => connect(server.port, server.host));
    const connected = Promise.all(sockets.map((socket) => once(socket, 'connect')));
    let calls = 0;
    await using client = clientOf(server, {
      pool: { maxConnections: 4 }, allowInsecureAuth: true, socket: async () => { await connected; return sockets.pop()!; },
      auth: { user: 'ann', token: () => { calls += 1; return [TOKEN]; } },
    });
    const events = await lastValueFrom(range(20).pipe(map(() => client.send(MAIL)), mergeAll(), toArray()));
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(20);
    expect(server.sessions).toHaveLength(4);
    expect(calls).toBe(1);
  });

  it('may be given as a plain string', async () => {
    await using server = await startServer({ users, mechanisms });
    expect((await verify(server, { auth: { user: 'ann', token: () => TOKEN } })).error).toBeUndefined();
  });

  it('is renewed once after a refusal', async () => {
    await using server = await startServer({ users, mechanisms });
    const calls: (Reply | undefined)[] = [];
    const told = await verify(server, { auth: { user: 'ann', token: ({ rejected }) => of(calls.push(rejected) === 1 ? 'stale' : TOKEN) } });
    expect(eventOf(told, 'authenticated')).toMatchObject({ mechanism: 'XOAUTH2', user: 'ann' });
    expect(calls).toEqual([undefined, expect.objectContaining({ code: 535 })]);
    expect(said(server).filter((line) => line.startsWith('AUTH'))).toHaveLength(2);
  });

  it('that was renewed goes to the next mechanism as well', async () => {
    await using server = await startServer({ users, mechanisms: ['OAUTHBEARER', 'XOAUTH2'], faults: [{ at: 'auth', do: 'reply', reply: '504 5.5.4 No', skip: 1 }] });
    const calls: (number | undefined)[] = [];
    const told = await verify(server, { auth: { user: 'ann', token: ({ rejected }) => of(calls.push(rejected?.code) === 2 ? TOKEN : 'stale') } });
    expect(eventOf(told, 'authenticated').mechanism).toBe('XOAUTH2');
    expect(calls).toEqual([undefined, 535]);
  });

  it('is renewed once only; the error tells the refusal as data', async () => {
    await using server = await startServer({ users, mechanisms });
    let calls = 0;
    const { error } = await verify(server, { auth: { user: 'ann', token: () => { calls += 1; return of(`stale-${String(calls)}`); } } });
    expect(calls).toBe(2);
    expect(error).toMatchObject({ code: 'E_AUTH', tried: ['XOAUTH2'], refusal: { status: 'invalid_token', scope: 'mail' }, reply: { code: 535 } });
    expect(error!.message).toContain('status invalid_token, scope mail');
  });

  it('is not renewed for a server that has no time', async () => {
    await using server = await startServer({ users, mechanisms, faults: [{ at: 'auth', do: 'reply', reply: '454 4.7.0 Later' }] });
    let calls = 0;
    const { error } = await verify(server, { auth: { user: 'ann', token: () => { calls += 1; return of(TOKEN); } } });
    expect(error).toMatchObject({ code: 'E_AUTH', retryable: true });
    expect(calls).toBe(1);
  });

  it.each([
    ['fails', () => { throw new Error('no network'); }, 'E_AUTH', 'no network', true],
    ['throws what has no text', () => { throw Object.create(null) as Error; }, 'E_AUTH', 'has no text', true],
    ['gives none', () => [], 'E_AUTH', 'without a token', true],
    ['gives what is none', () => of('a\r\nMAIL'), 'E_USAGE', 'The token of the option "auth.token"', false],
    ['gives nothing', (() => undefined) as unknown as TokenFunction, 'E_USAGE', 'must give a string, or a promise or an Observable of one.', false],
    ['gives it in an object', (() => ({ access_token: TOKEN })) as unknown as TokenFunction, 'E_USAGE', 'must give a string, or a promise or an Observable of one.', false],
    ['never answers', () => new Observable<string>(() => undefined), 'E_TIMEOUT', 'timeouts.command', true],
  ])('is not to be had: the function %s', async (_, token, code, words, retryable) => {
    await using server = await startServer({ users, mechanisms });
    const { error } = await verify(server, { auth: { user: 'ann', token }, timeouts: { command: 300 } });
    expect(error).toMatchObject({ code, phase: 'auth', outcome: 'not-sent', retryable });
    expect(error!.message).toContain(words);
    expect(server.sessions[0]!.lines.some((line) => line.startsWith('C: AUTH'))).toBe(false);
  });

  it('is not asked for where it cannot be used', async () => {
    await using server = await startServer({ users, mechanisms: ['PLAIN'] });
    const { error } = await verify(server, { auth: { user: 'ann', token: () => { throw new Error('asked'); } } });
    expect(error).toMatchObject({ code: 'E_AUTH', offered: ['PLAIN'], allowed: ['OAUTHBEARER', 'XOAUTH2'], tried: [] });
  });

  it('is not shown on another connection either', async () => {
    const greetings = ['hello', `hello ${TOKEN}`];
    await using server = await startServer({ signIn: { XOAUTH2: () => Promise.resolve('ann') }, faults: greetings.map((text, index) => ({ at: 'greeting', session: index + 1, do: 'reply', reply: `220 ${text}` })) });
    await using client = clientOf(server, { allowInsecureAuth: true, auth: { user: 'ann', token: () => of(TOKEN) } });
    const told = [await collect(client.verify()), await collect(client.verify())].map((each) => eventOf(each, 'greeted').reply.lines);
    expect(told).toEqual([['hello'], ['hello ***']]);
  });

  it('is called off when the sign-in is', async () => {
    await using server = await startServer({ users, mechanisms });
    const isAsked$ = new Subject<void>();
    let isCalledOff = false;
    const token = (): Observable<string> => new Observable(() => { isAsked$.next(); return () => { isCalledOff = true; }; });
    await using client = clientOf(server, { auth: { user: 'ann', token } });
    const isAsked = firstValueFrom(isAsked$);
    const running = client.verify().subscribe();
    await isAsked;
    running.unsubscribe();
    expect(isCalledOff).toBe(true);
  });
});
