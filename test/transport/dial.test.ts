import { lookup } from 'node:dns';
import fs from 'node:fs';
import { Socket, type LookupFunction } from 'node:net';
import { asapScheduler, asyncScheduler, firstValueFrom, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Endpoint } from '../../src/index.js';
import { answers, failureOf, way } from '../support/dialling.js';
import { closedPort, listen } from '../support/listen.js';

const EVERYWHERE = { host: '0.0.0.0', port: 0 };

const refuses = (code: string): LookupFunction => (_host, _options, found) => { found(Object.assign(new Error(code), { code }), []); };

/** A clock on which so many ms are over before any connection can stand; what is longer takes its time. */
const impatient = (ms: number): SchedulerLike => ({
  now: () => 0,
  schedule: <T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T) =>
    delay > ms ? asyncScheduler.schedule(work, delay, state) : asapScheduler.schedule(work, 0, state),
});

describe('addresses', () => {
  test('an address is not looked up', async () => {
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: '127.0.0.1', lookup: () => { throw new Error('asked'); } }));
    expect(stream.remote).toEqual({ address: '127.0.0.1', port: server.port, family: 4 });
    expect(stream.local).toMatchObject({ address: '127.0.0.1', family: 4 });
    expect(stream.via).toBeUndefined();
    stream.destroy();
  });

  test('a line that is silent is probed, and small writes leave at once', async () => {
    const [probed, hurried] = [vi.spyOn(Socket.prototype, 'setKeepAlive'), vi.spyOn(Socket.prototype, 'setNoDelay')];
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: '127.0.0.1' }));
    for (const asked of [probed.mock, hurried.mock]) expect(asked.contexts).toContain(stream.socket);
    expect(probed).toHaveBeenCalledWith(true, 60_000);
    stream.destroy();
  });

  test('all are tried, and the first that answers is taken', async () => {
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: 'mail.example.com', lookup: answers('127.0.0.9', '::1', '127.0.0.1') }));
    expect(stream.remote.address).toBe('127.0.0.1');
    stream.destroy();
    await server.idle();
    expect(server.connections).toHaveLength(1);
  });

  test('a slow one is not waited for, and who loses is closed without a byte', async () => {
    let bytes = 0;
    await using server = await listen((socket) => socket.on('data', (chunk) => { bytes += chunk.length; }), EVERYWHERE);
    const begun: string[] = [];
    const localEndpoint = ({ address }: Endpoint): object => { begun.push(address); return {}; };
    const stream = await firstValueFrom(way(server.port, { host: 'mail.example.com', lookup: answers('127.0.0.1', '127.0.0.2', '127.0.0.3'), localEndpoint }, impatient(250)));
    expect(begun).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    expect(begun).toContain(stream.remote.address);
    expect(stream.socket.destroyed).toBe(false);
    stream.destroy();
    await server.idle();
    expect(bytes).toBe(0);
  });

  test('an error lists each with its code', async () => {
    const port = await closedPort();
    const error = await failureOf(way(port, { host: 'mail.example.com', lookup: answers('127.0.0.1', '127.0.0.2', '127.0.0.1') }));
    expect(error).toMatchObject({ code: 'E_CONNECT', phase: 'connect', reason: 'ECONNREFUSED', retryable: true });
    expect(error.message).toContain('127.0.0.1: ECONNREFUSED, 127.0.0.2: ECONNREFUSED');
  });

  test('of very many the first sixteen are tried', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `127.0.0.${String(index + 1)}`);
    const error = await failureOf(way(await closedPort(), { host: 'mail.example.com', lookup: answers(...many) }));
    expect(error.message.match(/127\.[\d.]+(?=: ECONNREFUSED)/g)).toEqual(many.slice(0, 16));
  });

  test('of very many those that have failed give way to the others, and one family to the other', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `127.0.0.${String(index + 1)}`);
    const failed = many.slice(0, 10);
    const error = await failureOf(way(await closedPort(), { host: 'mail.example.com', lookup: answers(...many) }, undefined, (address) => failed.indexOf(address)));
    expect(error.message.match(/127\.[\d.]+(?=: ECONNREFUSED)/g)).toEqual([...many.slice(10), ...many.slice(0, 6)]);
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: 'mail.example.com', localEndpoint: '127.0.0.1', lookup: answers(...many.map((_, index) => `2001:db8::${String(index)}`), '127.0.0.1') }));
    expect(stream.remote.address).toBe('127.0.0.1');
    stream.destroy();
  });

  test('each has ten seconds, and a sixth of a limit for all that is longer', async () => {
    await using server = await listen(undefined, EVERYWHERE);
    const two = { host: 'mail.example.com', lookup: answers('127.0.0.1', '127.0.0.2') };
    const error = await failureOf(way(server.port, two, impatient(10_000)));
    expect(error).toMatchObject({ code: 'E_CONNECT', phase: 'connect', reason: 'ETIMEDOUT', retryable: true });
    expect(error.message).toContain('127.0.0.1: ETIMEDOUT, 127.0.0.2: ETIMEDOUT');
    expect(await failureOf(way(server.port, { ...two, timeouts: { connect: 9_000 } }, impatient(10_000)))).toMatchObject({ code: 'E_TIMEOUT', limit: 'connect' });
    (await firstValueFrom(way(server.port, { ...two, timeouts: { connect: 66_000 } }, impatient(10_000)))).destroy();
    await server.idle();
  });

  test('the resolver is asked for every connection', async () => {
    await using server = await listen();
    let asked = 0;
    const lookup: LookupFunction = (host, options, found) => { asked += 1; answers('127.0.0.1')(host, options, found); };
    const open$ = way(server.port, { host: 'mail.example.com', lookup });
    for (let run = 1; run <= 2; run += 1) {
      (await firstValueFrom(open$)).destroy();
      expect(asked).toBe(run);
    }
  });

  test.each<[string, LookupFunction]>([
    ['of one family only', (host, options, found) => { lookup(host, { ...options, family: 4 }, found); }],
    ['in plain strings', (_host, _options, found) => { found(null, ['127.0.0.1', 'nowhere'] as never); }],
    ['that is one string', (_host, _options, found) => { found(null, '127.0.0.1'); }],
  ])('the resolver may give an answer %s', async (_title, lookup) => {
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: 'localhost', lookup }));
    expect(stream.remote.address).toBe('127.0.0.1');
    stream.destroy();
  });

  const NO_ADDRESS = { reason: 'UNKNOWN', retryable: false, message: expect.stringContaining('The function in the option "lookup" failed for mail.example.com: it gave what is no IP address.') as string };
  test.each<[string, LookupFunction, object]>([
    ['no such name', refuses('ENOTFOUND'), { reason: 'ENOTFOUND', retryable: false, message: 'The host name mail.example.com has no address (ENOTFOUND). Check how it is spelt.' }],
    ['no address', refuses('ENODATA'), { reason: 'ENODATA', retryable: false }],
    ['an empty answer', answers(), { reason: 'ENODATA', retryable: false }],
    ['an answer that is no address', answers('nowhere'), NO_ADDRESS],
    ['an answer in plain text that is no address', (_host, _options, found) => { found(null, 'localhost', 4); }, NO_ADDRESS],
    ['a resolver in trouble', refuses('EAI_AGAIN'), { reason: 'EAI_AGAIN', retryable: true, message: 'The host name mail.example.com could not be resolved (EAI_AGAIN). Check how it is spelt and the resolver of this machine, or try again later.' }],
    ['a permission that is missing', refuses('ERR_ACCESS_DENIED'), { reason: 'ERR_ACCESS_DENIED', retryable: false, message: expect.stringContaining('--allow-net') as string }],
    ['no file descriptor for the question', refuses('EMFILE'), { reason: 'EMFILE', retryable: true, message: 'The host name mail.example.com was not looked up (EMFILE). There are no file descriptors left: raise the limit ("ulimit -n"), or look for what keeps files and sockets open.' }],
    ['a resolver that refuses', refuses('EREFUSED'), { reason: 'EREFUSED', retryable: true }],
    ['an answer of undefined', (_host, _options, found) => { setImmediate(() => { found(null, undefined as never); }); }, NO_ADDRESS],
    ['an answer with a hole', (_host, _options, found) => { setImmediate(() => { found(null, [null] as never); }); }, NO_ADDRESS],
    ['an async lookup that fails', (() => Promise.reject(new Error('bug.'))), { reason: 'UNKNOWN', retryable: false, message: 'The function in the option "lookup" failed for mail.example.com: bug.' }],
    ['an async lookup that never calls back', (() => Promise.resolve({ address: '127.0.0.1', family: 4 })), { reason: 'UNKNOWN', retryable: false, message: 'The function in the option "lookup" failed for mail.example.com: it gave a promise of the address. Call the function that it gets instead, as dns.lookup does.' }],
    ['a lookup that throws', () => { throw new Error('bug'); }, { reason: 'UNKNOWN', retryable: false }],
    ['a lookup that throws nothing', () => { throw null as unknown as Error; }, { reason: 'UNKNOWN', retryable: false }],
  ])('%s is E_DNS', async (_title, lookup, expected) => {
    expect(await failureOf(way(25, { host: 'mail.example.com', lookup }))).toMatchObject({ code: 'E_DNS', phase: 'resolve', outcome: 'not-sent', ...expected });
  });

  test('no such name, and no file descriptor left to look it up, is the second', async () => {
    vi.spyOn(fs, 'openSync').mockImplementationOnce(() => { throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' }); });
    expect(await failureOf(way(25, { host: 'mail.example.com', lookup: refuses('ENOTFOUND') }))).toMatchObject({ code: 'E_DNS', reason: 'EMFILE', retryable: true });
  });

  test('what the resolver says after unsubscribing goes nowhere', async () => {
    await using server = await listen();
    let answer: () => void = () => { throw new Error('not asked'); };
    const subscription = way(server.port, { host: 'mail.example.com', lookup: (host, options, found) => { answer = () => { answers('127.0.0.1')(host, options, found); }; } })
      .subscribe(() => { throw new Error('emitted'); });
    subscription.unsubscribe();
    answer();
    await new Promise(setImmediate);
    expect(server.connections).toHaveLength(0);
  });

  test('silence of the resolver ends with timeouts.resolve', async () => {
    expect(await failureOf(way(25, { host: 'mail.example.com', lookup: () => { /* Silence. */ }, timeouts: { resolve: 5 } })))
      .toMatchObject({ code: 'E_TIMEOUT', phase: 'resolve', limit: 'resolve', retryable: true, message: expect.stringContaining('Check the function in the option "lookup"') as string });
  });
});

describe('local endpoint', () => {
  test.each<[string, string | { address: string }]>([['an address', '127.0.0.5'], ['an object', { address: '127.0.0.5' }]])('%s is bound', async (_title, localEndpoint) => {
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: '127.0.0.1', localEndpoint }));
    await server.accepted(1);
    expect(server.connections[0]!.remoteAddress).toBe('127.0.0.5');
    expect(stream.local.address).toBe('127.0.0.5');
    stream.destroy();
  });

  test('an address and port', async () => {
    await using server = await listen();
    const port = await closedPort();
    const stream = await firstValueFrom(way(server.port, { host: '127.0.0.1', localEndpoint: { address: '127.0.0.6', port } }));
    expect(stream.local).toEqual({ address: '127.0.0.6', port, family: 4 });
    stream.destroy();
  });

  test('a function is asked for each connection, and port 0 is any', async () => {
    await using server = await listen();
    const asked: Endpoint[] = [];
    const open$ = way(server.port, { host: 'mail.example.com', lookup: answers('127.0.0.1'), localEndpoint: (remote) => { asked.push(remote); return { address: `127.0.0.${String(10 + asked.length)}`, port: 0 }; } });
    for (let run = 1; run <= 2; run += 1) {
      const stream = await firstValueFrom(open$);
      expect(stream.local.address).toBe(`127.0.0.${String(10 + run)}`);
      stream.destroy();
    }
    expect(asked).toEqual(Array(2).fill({ address: '127.0.0.1', port: server.port, family: 4 }));
  });

  test('each address gets the end that fits its family', async () => {
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: 'mail.example.com', lookup: answers('::1', '127.0.0.1'), localEndpoint: ({ family }) => ({ address: family === 6 ? '::1' : '127.0.0.7' }) }));
    expect(stream.local.address).toBe('127.0.0.7');
    stream.destroy();
  });

  test('addresses of the other family are passed over', async () => {
    await using server = await listen();
    const stream = await firstValueFrom(way(server.port, { host: 'mail.example.com', lookup: answers('::1', '127.0.0.1'), localEndpoint: '127.0.0.8' }));
    expect(stream.local.address).toBe('127.0.0.8');
    stream.destroy();
  });

  test.each<[string, Parameters<typeof way>[1], object]>([
    ['another family', { host: '::1', localEndpoint: '127.0.0.1' }, { code: 'E_USAGE' }],
    ['another family than all addresses', { host: 'mail.example.com', lookup: answers('127.0.0.1', '127.0.0.2'), localEndpoint: () => ({ address: '::1' }) }, { code: 'E_USAGE' }],
    ['an address that is not ours', { host: '127.0.0.1', localEndpoint: '192.0.2.1' }, { code: 'E_CONNECT', reason: 'EADDRNOTAVAIL' }],
    ['a function that throws', { host: '127.0.0.1', localEndpoint: () => { throw new Error('bug'); } }, { code: 'E_USAGE', message: 'The function in the option "localEndpoint" failed: bug.' }],
    ['a function that returns no address', { host: '127.0.0.1', localEndpoint: () => ({ address: 'eth0' }) }, { code: 'E_USAGE' }],
    ['a function that returns no port', { host: '127.0.0.1', localEndpoint: () => ({ port: 65_536 }) }, { code: 'E_USAGE' }],
    ['a function that returns an address under another name', { host: '127.0.0.1', localEndpoint: () => ({ adress: '127.0.0.5' }) as object }, { code: 'E_USAGE' }],
    ['a function that returns a port that is none', { host: '127.0.0.1', localEndpoint: () => ({ port: -1 }) }, { code: 'E_USAGE' }],
    ['a function that returns half a port', { host: '127.0.0.1', localEndpoint: () => ({ port: 0.5 }) }, { code: 'E_USAGE' }],
    ['a function that returns a promise that fails', { host: '127.0.0.1', localEndpoint: (() => Promise.reject(new Error('later'))) as never }, { code: 'E_USAGE' }],
    ['a function that returns a promise', { host: '127.0.0.1', localEndpoint: (() => Promise.resolve({ address: '127.0.0.5' })) as never }, { code: 'E_USAGE' }],
    ['a function that returns nothing', { host: '127.0.0.1', localEndpoint: (() => undefined) as never }, { code: 'E_USAGE' }],
  ])('%s is a clear error', async (_title, options, expected) => {
    await using server = await listen();
    const error = await failureOf(way(server.port, options));
    expect(error).toMatchObject({ phase: 'connect', retryable: false, outcome: 'not-sent', ...expected });
    expect(error.message).toContain('localEndpoint');
    expect(server.connections).toHaveLength(0);
  });
});

test.each<[string, boolean, string]>([
  ['EMFILE', true, 'no file descriptors left: raise the limit ("ulimit -n")'], ['ENFILE', true, 'no file descriptors left: raise the limit ("ulimit -n")'],
  ['ENOBUFS', true, 'no memory left for sockets'], ['ENOMEM', true, 'no memory left for sockets'], ['ERR_ACCESS_DENIED', false, 'start it with --allow-net'],
])('%s of a socket that fails at once: %s, %s', async (code, retryable, says) => {
  vi.spyOn(Socket.prototype, 'connect').mockImplementationOnce(function connectNothing(this: Socket) { return this.destroy(Object.assign(new Error(code), { code })); });
  const error = await failureOf(way(25, { host: '127.0.0.1' }));
  expect(error).toMatchObject({ code: 'E_CONNECT', reason: code, retryable, message: expect.stringContaining(says) as string });
});

test.each<[string, string, Pick<Parameters<typeof way>[1], 'localEndpoint'>, boolean]>([
  ['EADDRNOTAVAIL', 'connect', {}, true], ['EADDRINUSE', 'connect', { localEndpoint: '127.0.0.5' }, true],
  ['EADDRINUSE', 'connect', { localEndpoint: { port: 40_000 } }, false], ['EADDRNOTAVAIL', 'bind', { localEndpoint: '192.0.2.1' }, false],
])('whether a local port is free for a moment: %s of %s, %o', async (code, syscall, options, isOutOfPorts) => {
  vi.spyOn(Socket.prototype, 'connect').mockImplementationOnce(function connectNothing(this: Socket) { return this.destroy(Object.assign(new Error(code), { code, syscall })); });
  const error = await failureOf(way(25, { host: '127.0.0.1', ...options }));
  expect(error).toMatchObject({ code: 'E_CONNECT', reason: isOutOfPorts ? 'EADDRNOTAVAIL' : code, retryable: isOutOfPorts, message: expect.stringContaining(isOutOfPorts ? 'no free port to connect from' : '"localEndpoint"') as string });
});

test.each<[string, string | undefined, readonly string[], string, boolean]>([
  ['a family without a way', undefined, ['ENETUNREACH', 'ECONNREFUSED'], 'ECONNREFUSED', true], ['a rule of this machine', undefined, ['EPERM', 'ENETUNREACH'], 'ENETUNREACH', true],
  ['a family that is not bound', '127.0.0.5', ['EADDRNOTAVAIL'], 'EADDRNOTAVAIL', true], ['a family that this machine lacks', undefined, ['EAFNOSUPPORT', 'EADDRNOTAVAIL'], 'EADDRNOTAVAIL', true],
])('%s is not the reason where the other address says more', async (_, localEndpoint, codes, reason, retryable) => {
  const connects = vi.spyOn(Socket.prototype, 'connect');
  for (const code of codes) connects.mockImplementationOnce(function connectNothing(this: Socket) { return this.destroy(Object.assign(new Error(code), { code, syscall: 'connect' })); });
  const error = await failureOf(way(25, { host: 'mail.example.com', lookup: answers('::1', '127.0.0.1'), ...(localEndpoint === undefined ? {} : { localEndpoint }) }));
  expect(error).toMatchObject({ code: 'E_CONNECT', reason, retryable });
});

test.each([['a firewall on the way', '::1', 'connect', 'EHOSTUNREACH', true], ['a local rule', '127.0.0.1', 'connect', 'EACCES', false], ['a local port', '::1', 'bind', 'EACCES', false]])('what is forbidden by %s: %s, %s', async (_, host, syscall, reason, retryable) => {
  vi.spyOn(Socket.prototype, 'connect').mockImplementationOnce(function connectNothing(this: Socket) { return this.destroy(Object.assign(new Error('no'), { code: 'EACCES', syscall })); });
  expect(await failureOf(way(25, { host }))).toMatchObject({ code: 'E_CONNECT', reason, retryable, message: expect.stringContaining(retryable ? 'whether the server runs, and whether a firewall is in between' : 'what this machine may open') as string });
});

test.each([['path', '/run/elsewhere.sock'], ['localAddress', '192.0.2.1']])('a polluted prototype brings no "%s"', async (name, value) => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  onTestFinished(() => { Reflect.deleteProperty(prototype, name); });
  await using server = await listen();
  prototype[name] = value;
  const stream = await firstValueFrom(way(server.port, { host: '127.0.0.1' }));
  expect(stream.remote.port).toBe(server.port);
  stream.destroy();
});
