import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { EMPTY, firstValueFrom, NEVER, of, Subject, throwError, type ObservableInput } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { failureOf, way } from '../support/dialling.js';
import { listen } from '../support/listen.js';

describe('Unix sockets', () => {
  test('connect, or say what is wrong with the path', async () => {
    // The path of a socket must be short, and TMPDIR may be long.
    const folder = await mkdtemp('/tmp/rxsmtp-');
    const path = join(folder, 'smtp.sock');
    try {
      await using server = await listen((socket) => socket.write('220 hi\r\n'), { path });
      const stream = await firstValueFrom(way(25, { host: 'localhost', socket: path }));
      expect(stream.remote).toEqual({ address: path, port: 0 });
      expect(String(await firstValueFrom(stream.bytes))).toBe('220 hi\r\n');
      stream.destroy();
      await server.idle();
      expect(await failureOf(way(25, { host: 'localhost', socket: `${path}.not` }))).toMatchObject({ code: 'E_CONNECT', phase: 'connect', reason: 'ENOENT', retryable: false });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

// As Node 24 does where a path is too long, and Node 26 where its permission model forbids it.
test.each([['EINVAL', 'Check the path'], ['ERR_ACCESS_DENIED', '--allow-net']])('a Unix socket that fails at once with %s was never connected: %s', async (code, says) => {
  vi.spyOn(Socket.prototype, 'connect').mockImplementationOnce(function connectNothing(this: Socket) { return this.destroy(Object.assign(new Error('no'), { code })); });
  expect(await failureOf(way(25, { host: 'localhost', socket: '/run/smtp.sock' }))).toMatchObject({ code: 'E_CONNECT', phase: 'connect', reason: code, retryable: false, cause: { code }, message: expect.stringContaining(says) as string });
});

// Node 24 refuses it at once, older ones look for what it begins with.
test('a Unix socket whose path is too long, opened by a function', async () => {
  const error = await failureOf(way(25, { host: 'localhost', socket: () => of(connect(`/tmp/${'x'.repeat(200)}`)) }));
  expect(error).toMatchObject({ code: 'E_CONNECT', phase: 'connect', reason: expect.stringMatching(/^(?:EINVAL|ENOENT)$/) as string, retryable: false });
});

describe('a socket of the caller\'s own', () => {
  test.each<[string, (port: number) => ObservableInput<Duplex>]>([
    ['observable', (port) => of(connect(port, '127.0.0.1'))],
    ['promise', async (port) => { const socket = connect(port, '127.0.0.1'); await once(socket, 'connect'); return socket; }],
  ])('comes as %s', async (_title, open) => {
    await using server = await listen((socket) => socket.write('220 hi\r\n'));
    const stream = await firstValueFrom(way(25, { host: 'mail.example.com', socket: () => open(server.port) }));
    expect(stream).toMatchObject({ via: 'socket', remote: { address: '127.0.0.1', port: server.port } });
    expect(String(await firstValueFrom(stream.bytes))).toBe('220 hi\r\n');
    stream.destroy();
    await server.idle();
  });

  test('gets nothing any more when it was to be destroyed, also where it takes its time', async () => {
    const slow = Object.assign(new PassThrough(), { destroy: () => slow });
    const stream = await firstValueFrom(way(25, { host: 'mail.example.com', socket: () => of(slow) }));
    stream.write('MAIL FROM:<ann@example.com>\r\n');
    stream.destroy();
    await new Promise((resolve) => { setImmediate(resolve); });
    expect([stream.hasLeft(0), slow.readableLength]).toEqual([false, 0]);
  });

  test('may fail again, and when nobody waits any more', async () => {
    const still = (): Duplex & { connecting: boolean } => Object.assign(new PassThrough(), { connecting: true });
    const [failing, left] = [still(), still()];
    const error = failureOf(way(25, { host: 'mail.example.com', socket: () => of(failing) }));
    for (const code of ['EONE', 'ETWO']) failing.emit('error', Object.assign(new Error(code), { code }));
    expect(await error).toMatchObject({ code: 'E_CONNECT', reason: 'EONE' });
    way(25, { host: 'mail.example.com', socket: () => of(left) }).subscribe().unsubscribe();
    for (const code of ['EONE', 'ETWO']) left.emit('error', Object.assign(new Error(code), { code }));
  });

  // As Node 24 does where the path of a Unix socket is too long. An error that nobody handles would fail the run.
  test('may fail before it is given, and is closed if it is given again', async () => {
    const failing = new PassThrough();
    const open$ = way(25, { host: 'mail.example.com', socket: () => of(failing.destroy(Object.assign(new Error('no'), { code: 'EINVAL' }))) });
    expect(await failureOf(open$)).toMatchObject({ code: 'E_CONNECT', phase: 'connect', reason: 'EINVAL', retryable: false, cause: { code: 'EINVAL' } });
    expect(await failureOf(open$)).toMatchObject({ code: 'E_USAGE', phase: 'connect' });
  });

  test('need not be a socket', async () => {
    const pipe = new PassThrough();
    const stream = await firstValueFrom(way(25, { host: 'mail.example.com', socket: () => of(pipe) }));
    stream.keepProcess(false);
    stream.write('echo');
    expect(String(await firstValueFrom(stream.bytes))).toBe('echo');
    stream.destroy();
    expect(pipe.destroyed).toBe(true);
  });

  test.each<[string, () => ObservableInput<Duplex>, object]>([
    ['nothing', () => EMPTY, { code: 'E_USAGE' }],
    ['no stream', () => of({}) as never, { code: 'E_USAGE' }],
    ['no observable', () => undefined as never, { code: 'E_CONNECT' }],
    ['a URL, which is not quoted', () => 'socks5://ann:secret@proxy.example' as never, { code: 'E_USAGE', message: expect.not.stringContaining('secret') as string }],
    ['an object stream', () => of(new PassThrough({ objectMode: true })), { code: 'E_USAGE' }],
    ['text', () => of(new PassThrough({ encoding: 'utf8' })), { code: 'E_USAGE' }],
    ['a closed stream', () => of(new PassThrough().destroy()), { code: 'E_USAGE' }],
    ['an error', () => throwError(() => Object.assign(new Error('no'), { code: 'ECONNREFUSED' })), { code: 'E_CONNECT', reason: 'ECONNREFUSED', retryable: true }],
    ['an error with a number for a code', () => throwError(() => new DOMException('This operation was aborted', 'AbortError')), { code: 'E_CONNECT', reason: 'UNKNOWN', message: expect.stringContaining('failed (This operation was aborted)') as string }],
    ['an exception', () => { throw new Error('bug'); }, { code: 'E_CONNECT', reason: 'UNKNOWN' }],
  ])('%s is a clear error', async (_title, socket, expected) => {
    const error = await failureOf(way(25, { host: 'mail.example.com', socket }));
    expect(error).toMatchObject({ phase: 'connect', outcome: 'not-sent', ...expected });
    expect(error.message).toContain('"socket"');
  });

  test('what never comes ends with timeouts.connect', async () => {
    expect(await failureOf(way(25, { host: 'mail.example.com', socket: () => NEVER, timeouts: { connect: 5 } }))).toMatchObject({ code: 'E_TIMEOUT', limit: 'connect', message: expect.stringContaining('Check what gives it, or raise that limit.') as string });
  });

  test.each<[string, (promised: Promise<Duplex>) => PromiseLike<Duplex>]>([
    ['a promise', (promised) => promised],
    ['what is like one', (promised) => ({ then: promised.then.bind(promised) })],
  ])('unsubscribing cancels an observable, and closes what %s brings later', async (_title, like) => {
    const never$ = new Subject<Duplex>();
    const late = new PassThrough();
    let bring: (stream: Duplex) => void = () => { /* Set below. */ };
    const promised = new Promise<Duplex>((resolve) => { bring = resolve; });
    for (const socket of [() => never$, () => like(promised)]) way(25, { host: 'mail.example.com', socket }).subscribe().unsubscribe();
    expect(never$.observed).toBe(false);
    bring(late);
    await new Promise(setImmediate);
    expect(late.destroyed).toBe(true);
  });

  test.each<[string, () => Promise<Duplex>]>([['what is no stream', () => Promise.resolve(undefined as never)], ['an error', () => Promise.reject(new Error('no'))]])('%s that a promise brings later goes nowhere', async (_title, socket) => {
    way(25, { host: 'mail.example.com', socket }).subscribe().unsubscribe();
    // A rejection that nobody handles would fail the run.
    await new Promise(setImmediate);
  });
});
