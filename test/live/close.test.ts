import { connect } from 'node:net';
import { filter, firstValueFrom, NEVER, skip } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type PoolState } from '../../src/index.js';
import { startServer, testAuthority } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

describe('close', () => {
  const SLOW = { at: 'end-of-data', do: 'silence', times: Infinity } as const;

  it('waits for the mails that were begun, those that have no connection yet included, and tells that they ended', async () => {
    await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'] });
    const client = clientOf(server, { pool: { maxConnections: 2 } });
    const told = Array.from({ length: 6 }, () => collect(client.send(MAIL)));
    await client.close();
    expect((await Promise.all(told)).map(({ types }) => types.at(-1))).toEqual(Array(6).fill('accepted'));
    expect(await firstValueFrom(client.closed$)).toEqual({ ended: 6, cut: 0 });
    await server.idle();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line === 'C: QUIT').length)).toEqual([1, 1]);
  });

  it.each([['in clear text', 'none'], ['over TLS', 'starttls']] as const)('resolves when nothing of a connection is left, %s', async (_, security) => {
    await using server = await startServer();
    let isGone = false;
    const client = clientOf(server, {
      security: [security], tls: { ca: testAuthority }, ...(security === 'starttls' && { host: 'localhost' }),
      socket: () => connect(server.port, '127.0.0.1').once('close', () => { isGone = true; }),
    });
    expect((await collect(client.send(MAIL))).types.at(-1)).toBe('accepted');
    await client.close();
    expect(isGone).toBe(true);
  });

  it('ends with a check that is cancelled before it has a connection', async () => {
    const client = clientOf({ host: 'mail.example.com', port: 25 }, { socket: () => NEVER });
    const checking = client.verify().subscribe();
    const closing = client.close();
    checking.unsubscribe();
    await closing;
    expect(await firstValueFrom(client.closed$)).toEqual({ ended: 1, cut: 0 });
  });

  it('cuts off what takes longer than its limit, each mail with its own outcome', async () => {
    await using server = await startServer({ faults: [SLOW] });
    const client = clientOf(server, { pool: { maxConnections: 1 }, pipelining: false, timeouts: { quit: 50, close: 100 } });
    const hasLeft = firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content'))));
    const [left, waiting] = [collect(client.send(MAIL)), collect(client.send(MAIL))];
    await hasLeft;
    await client.close();
    expect((await left).error).toMatchObject({ code: 'E_TIMEOUT', limit: 'close', phase: 'end-of-data', outcome: 'unknown', retryable: false });
    expect((await waiting).error).toMatchObject({ code: 'E_TIMEOUT', limit: 'close', phase: 'idle', outcome: 'not-sent', retryable: true });
    for (const { error } of [await left, await waiting]) expect(error?.message).toMatch(/timeouts\.close = 100 ms\. .*Raise that limit to give mails under way more time\.$/);
    expect(await firstValueFrom(client.closed$)).toEqual({ ended: 0, cut: 2 });
  });

  it.each(['mail', 'rcpt', 'data'] as const)('cuts off all that hang, on whatever connections, and tells where each was: %s', async (at) => {
    await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'], faults: [{ at, do: 'silence', times: Infinity }] });
    const client = clientOf(server, { pool: { maxConnections: 4 }, timeouts: { quit: 50, close: 100 } });
    const told = Array.from({ length: 4 }, () => collect(client.send(MAIL)));
    await firstValueFrom(client.log$.pipe(filter(({ text }) => text.startsWith(at.toUpperCase())), skip(3)));
    await client.close();
    for (const { error } of await Promise.all(told)) expect(error).toMatchObject({ limit: 'close', phase: at, outcome: 'not-sent', retryable: true });
    expect(await firstValueFrom(client.closed$)).toEqual({ ended: 0, cut: 4 });
    await server.idle();
  });

  it('cuts off a mail whose source takes its time, in the midst of its content', async () => {
    await using server = await startServer();
    const client = clientOf(server, { timeouts: { quit: 50, close: 100 } });
    const told = collect(client.send({ ...MAIL, raw: NEVER }));
    await client.close();
    expect((await told).error).toMatchObject({ limit: 'close', phase: 'body', outcome: 'not-sent' });
  });

  it('cuts off a mail that was still being composed', async () => {
    await using server = await startServer({ faults: [{ at: 'mail', do: 'silence', times: Infinity }] });
    const client = clientOf(server, { timeouts: { close: 1 } });
    const told = collect(client.send({ from: 'ann@example.com', to: 'bob@example.org', text: 'Hi' }));
    await client.close();
    expect((await told).error).toMatchObject({ code: 'E_TIMEOUT', limit: 'close', outcome: 'not-sent' });
  });

  it('waits no longer for the answer to QUIT either', async () => {
    await using server = await startServer({ faults: [{ at: 'quit', do: 'silence', times: Infinity }] });
    const client = clientOf(server, { timeouts: { quit: 600_000, close: 100 } });
    await collect(client.send(MAIL));
    await client.close();
    expect(server.sessions[0]?.lines).toContain('C: QUIT');
    await server.idle();
  });

  it('cuts off a connection that is still opening, and a check', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'silence', times: Infinity }] });
    const client = clientOf(server, { timeouts: { close: 50 } });
    const [mail, check] = [collect(client.send(MAIL)), collect(client.verify())];
    await client.close();
    for (const { error } of [await mail, await check]) expect(error).toMatchObject({ limit: 'close', outcome: 'not-sent' });
    await server.idle();
  });

  it('waits for the goodbye of a check', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    const states: PoolState[] = [];
    client.state$.subscribe((state) => { states.push(state); });
    client.verify().subscribe();
    await client.close();
    expect(states.at(-1)).toMatchObject({ open: 0 });
    expect(server.sessions[0]?.lines).toContain('C: QUIT');
  });

  it('can be called again, and gives the same', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    await collect(client.send(MAIL));
    await Promise.all([client.close(), client.close()]);
    await client.close();
    expect((await collect(client.send(MAIL))).error?.code).toBe('E_USAGE');
  });

  it('is told in an error of their own to all that come later', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    await client.close();
    const told = await Promise.all([client.send(MAIL), client.send(MAIL), client.verify(), client.verify()].map(collect));
    expect(told.map(({ error }) => error?.code)).toEqual(Array(4).fill('E_USAGE'));
    expect(new Set(told.map(({ error }) => error)).size).toBe(4);
  });
});
