import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpClient, type ProxyOptions, type SmtpOptions } from '../../src/index.js';
import { localhostCertificate, otherCertificate, startServer, testAuthority, type ServerOptions } from '../../src/testing/index.js';
import { collect, eventOf } from '../support/collect.js';
import { GRANTED, startProxy, type FakeProxy, type FakeProxyOptions } from '../support/fake-proxy.js';
import { closedPort, listen } from '../support/listen.js';

const MESSAGE = { envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: 'Subject: through\r\n\r\nHi Bob\r\n' };
const LIMITS = { greeting: 2_000, proxy: 2_000 };

type Way = readonly [title: string, chain: readonly FakeProxyOptions[]];

const WAYS: readonly Way[] = [
  ['socks4', [{ protocol: 'socks4', credentials: 'ann' }]],
  ['socks4a', [{ protocol: 'socks4a' }]],
  ['socks5', [{ protocol: 'socks5' }]],
  ['socks5 with credentials', [{ protocol: 'socks5', credentials: 'ann:secret' }]],
  ['http', [{ protocol: 'http' }]],
  ['http with credentials', [{ protocol: 'http', credentials: 'ann:secret' }]],
  ['https with credentials', [{ protocol: 'https', credentials: 'ann:secret', certificate: localhostCertificate }]],
  ['socks5 over http', [{ protocol: 'http' }, { protocol: 'socks5', credentials: 'ann:secret' }]],
  ['https over https', [{ protocol: 'https', certificate: localhostCertificate }, { protocol: 'https', certificate: localhostCertificate }]],
];

type Door = readonly [title: string, tls: ServerOptions['tls'], security: NonNullable<SmtpOptions['security']>, secured: string | undefined];

const DOORS: readonly Door[] = [
  ['implicit TLS', 'implicit', 'implicit', 'implicit'],
  ['STARTTLS', 'starttls', 'starttls', 'starttls'],
  ['clear text', 'none', 'none', undefined],
  ['auto: implicit TLS', 'implicit', 'auto', 'implicit'],
  ['auto: STARTTLS', 'starttls', 'auto', 'starttls'],
  ['auto: clear text', 'none', 'auto', undefined],
];

/** The options for a proxy as it was started. */
const optionsOf = ({ protocol, credentials }: FakeProxyOptions, { port }: FakeProxy): ProxyOptions => {
  const [user, pass] = credentials?.split(':') ?? [];
  return { protocol, host: '127.0.0.1', port, ...(user === undefined ? {} : { user }), ...(pass === undefined ? {} : { pass }), ...(protocol === 'https' ? { tls: { ca: testAuthority } } : {}) };
};

it('warns of an HTTPS proxy that is not verified', async () => {
  await using server = await startServer({ tls: 'none' });
  await using proxy = await startProxy({ protocol: 'https', certificate: otherCertificate });
  await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, security: 'none', proxy: { protocol: 'https', host: '127.0.0.1', port: proxy.port, tls: { rejectUnauthorized: false } } });
  const told = await collect(client.send(MESSAGE));
  expect(told.error).toBeUndefined();
  expect(eventOf(told, 'warning')).toEqual({
    type: 'warning', code: 'W_UNVERIFIED',
    message: `tls.rejectUnauthorized of the proxy https://127.0.0.1:${String(proxy.port)} is false: the certificate was not verified, and anyone in between can read and change what goes through it.`,
  });
});

it('tells of TLS with the server by the server\'s name and port, not the proxy\'s', async () => {
  await using server = await startServer({ tls: 'implicit' });
  await using proxy = await startProxy({ protocol: 'socks5' });
  await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, security: 'implicit', proxy: proxy.url });
  const { error } = await collect(client.verify());
  expect(error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'untrusted' });
  expect(error?.message).toContain(`The certificate of 127.0.0.1:${String(server.port)} via ${proxy.url} was refused`);
});

describe.each(WAYS)('through %s', (_way, chain) => {
  const [near, far] = chain;
  const rows = DOORS.flatMap((door) => ([undefined, '127.0.0.9'] as const).map((local) => [...door, local] as const));

  it.each(rows)('%s: %s server, security %s, mode %s, from %s', async (_door, tls, security, mode, localEndpoint) => {
    await using server = await startServer(tls === undefined ? {} : { tls });
    await using first = await startProxy(near!);
    await using second = far === undefined ? undefined : await startProxy(far);
    const proxies = second === undefined ? [first] : [first, second];
    await using client = new SmtpClient({
      host: '127.0.0.1', port: server.port, security, timeouts: LIMITS, tls: { ca: server.ca },
      proxy: chain.map((each, index) => optionsOf(each, proxies[index]!)),
      ...(localEndpoint === undefined ? {} : { localEndpoint }),
    });
    const told = await collect(client.send(MESSAGE));
    expect(told.error).toBeUndefined();
    expect(told.types.at(-1)).toBe('accepted');
    expect(server.messages).toMatchObject([{ secure: mode !== undefined }]);
    expect(String(server.messages[0]!.content)).toBe(MESSAGE.raw);
    expect(eventOf(told, 'connected').via).toBe(proxies.map(({ url }) => url).join(' -> '));
    if (mode !== undefined) expect(eventOf(told, 'secured').mode).toBe(mode);
    if (localEndpoint !== undefined) expect(first.asked.every(({ from }) => from.startsWith(`${localEndpoint}:`))).toBe(true);
    await client.close();
    await server.idle();
    await Promise.all(proxies.map((proxy) => proxy.idle()));
  });
});

describe('a proxy is the only way', () => {
  it.each(['socks4', 'socks4a', 'socks5', 'http', 'https'] as const)('a dead %s proxy: nothing reaches the server, whatever is tried', async (protocol) => {
    await using server = await startServer();
    await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, security: 'auto', proxy: `${protocol}://127.0.0.1:${String(await closedPort())}` });
    const { error, types } = await collect(client.send(MESSAGE));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', outcome: 'not-sent', retryable: true });
    // It is the same proxy for every door.
    expect(types).toEqual(['attempt-started']);
    expect(server.sessions).toHaveLength(0);
  });

  it('a door that the proxy forbids is passed over', async () => {
    await using server = await startServer();
    await using proxy = await startProxy({ protocol: 'http', answer: (client, { port }) => {
      if (port === 465) { client.write('HTTP/1.1 403 Forbidden\r\n\r\n'); return; }
      const door = connectTcp(server.port, '127.0.0.1').on('error', () => { /* The test ends. */ });
      client.write(GRANTED.http);
      client.pipe(door).pipe(client);
    } });
    await using client = new SmtpClient({ host: '127.0.0.1', tls: { ca: server.ca }, security: ['implicit', 'starttls'], proxy: proxy.url });
    const told = await collect(client.send(MESSAGE));
    expect(told.error).toBeUndefined();
    expect(eventOf(told, 'attempt-failed').error).toMatchObject({ code: 'E_PROXY', reason: 'denied' });
    expect(server.messages).toMatchObject([{ secure: true }]);
  });

  it.each([{}, { user: 'ann', pass: 'hunter2' }])('credentials that the proxy refuses end the run', async (given) => {
    await using server = await startServer();
    await using proxy = await startProxy({ protocol: 'socks5', credentials: 'ann:right' });
    await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, security: 'auto', proxy: { protocol: 'socks5', host: '127.0.0.1', port: proxy.port, ...given } });
    const { error, types } = await collect(client.send(MESSAGE));
    expect(error).toMatchObject({ code: 'E_PROXY', reason: 'authentication', retryable: false });
    expect(types).toEqual(['attempt-started']);
    expect(proxy.asked).toHaveLength(0);
  });

  it('credentials that the proxy refuses are not tried by the next mail, only by a check', async () => {
    await using proxy = await listen((socket) => {
      const answers = ['\x05\x02', '\x01\x01'];
      socket.on('data', () => { socket.write(answers.shift() ?? '', 'latin1'); });
    });
    await using client = new SmtpClient({ host: 'mail.example', security: 'tls', proxy: `socks5://ann:hunter2@127.0.0.1:${String(proxy.port)}` });
    for (let mail = 0; mail < 3; mail += 1) expect((await collect(client.send(MESSAGE))).error).toMatchObject({ code: 'E_PROXY', reason: 'authentication' });
    expect(proxy.connections).toHaveLength(1);
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_PROXY', reason: 'authentication' });
    expect(proxy.connections).toHaveLength(2);
  });
});

describe('who is at the other end', () => {
  const auth = { user: 'ann', pass: 'hunter2' };

  it('is verified by the name of the server, not the proxy\'s', async () => {
    await using server = await startServer({ tls: 'implicit', ...otherCertificate });
    await using proxy = await startProxy({ protocol: 'socks5' });
    const options = { port: server.port, security: 'implicit', tls: { ca: server.ca }, proxy: proxy.url } as const;
    await using wrong = new SmtpClient({ host: '127.0.0.1', ...options });
    expect((await collect(wrong.send(MESSAGE))).error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'host-name', retryable: false });
  });

  it('gets no password in clear text through a proxy on this machine', async () => {
    await using server = await startServer({ tls: 'none', users: { ann: 'hunter2' }, mechanisms: ['PLAIN', 'LOGIN'] });
    await using proxy = await startProxy({ protocol: 'socks5' });
    await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, security: 'none', auth, proxy: proxy.url });
    expect((await collect(client.send(MESSAGE))).error).toMatchObject({ code: 'E_AUTH', phase: 'auth' });
    expect(String(server.sessions[0]!.received)).not.toMatch(/AUTH (?:PLAIN|LOGIN)/);
  });

  it('gets no password in clear text over a socket of the caller\'s own', async () => {
    await using server = await startServer({ tls: 'none', users: { ann: 'hunter2' }, mechanisms: ['PLAIN', 'LOGIN'] });
    await using client = new SmtpClient({ host: '127.0.0.1', security: 'none', auth, socket: () => of(connectTcp(server.port, '127.0.0.1')) });
    expect((await collect(client.send(MESSAGE))).error).toMatchObject({ code: 'E_AUTH', phase: 'auth' });
    expect(String(server.sessions[0]!.received)).not.toMatch(/AUTH (?:PLAIN|LOGIN)/);
  });
});

describe('a socket instead of a host and port', () => {
  it.each(['implicit', 'none'] as const)('may be given as it is, %s', async (mode) => {
    await using server = await startServer({ tls: mode });
    await using client = new SmtpClient({ host: 'localhost', security: mode, tls: { ca: server.ca }, socket: () => connectTcp(server.port, '127.0.0.1') });
    expect((await collect(client.send(MESSAGE))).error).toBeUndefined();
  });

  it('that is destroyed without a word in the handshake is told of at once', async () => {
    await using server = await startServer({ tls: 'implicit' });
    await using client = new SmtpClient({
      host: 'localhost', security: 'implicit', tls: { ca: server.ca }, timeouts: { greeting: 20_000 },
      socket: () => of(new Duplex({ read() { /* Silence. */ }, write(_chunk, _encoding, done) { done(); this.destroy(); } })),
    });
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_TLS', reason: 'reset', retryable: true });
  });

  /** Not a socket, but a stream over one. */
  const wrapped = (port: number): Duplex => Duplex.from(connectTcp(port, '127.0.0.1'));

  it.each<[string, 'implicit' | 'starttls' | 'none', (port: number) => Duplex]>([
    ['a socket', 'implicit', (port) => connectTcp(port, '127.0.0.1')], ['a socket', 'starttls', (port) => connectTcp(port, '127.0.0.1')], ['a socket', 'none', (port) => connectTcp(port, '127.0.0.1')],
    ['a stream', 'implicit', wrapped], ['a stream', 'starttls', wrapped], ['a stream', 'none', wrapped],
  ])('%s, %s', async (_title, mode, open) => {
    await using server = await startServer({ tls: mode });
    await using client = new SmtpClient({ host: 'localhost', security: mode, tls: { ca: server.ca }, socket: () => of(open(server.port)) });
    for (let mail = 1; mail <= 2; mail += 1) {
      const told = await collect(client.send(MESSAGE));
      expect(told.error).toBeUndefined();
      if (mail === 1) expect(eventOf(told, 'connected').via).toBe('socket');
    }
    expect(server.messages).toHaveLength(2);
    await client.close();
    await server.idle();
  });

  it('TLS verifies the host over it', async () => {
    await using server = await startServer({ tls: 'implicit' });
    await using client = new SmtpClient({ host: 'mail.example.com', security: 'implicit', tls: { ca: server.ca }, socket: () => of(connectTcp(server.port, '127.0.0.1')) });
    expect((await collect(client.send(MESSAGE))).error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'host-name' });
    await server.idle();
  });

  it('is closed where clear text waits in it behind the answer to STARTTLS', async () => {
    const replies: Readonly<Record<string, readonly string[]>> = { EHLO: ['250-mail.example.com\r\n250 STARTTLS\r\n'], STAR: ['220 go\r\n', '250-planted\r\n'] };
    const ready = ['220 mail.example.com\r\n'];
    const stream = new Duplex({
      read() { while (ready.length > 0) this.push(ready.shift()); },
      write(line: Buffer, _encoding, done) {
        ready.push(...replies[line.toString().slice(0, 4)] ?? []);
        done();
        // Nothing more, and it is read again: the second piece is there, and not heard, when the first one is.
        setImmediate(() => { this.push(''); });
      },
    });
    const isClosed = once(stream, 'close');
    await using client = new SmtpClient({ host: 'mail.example.com', security: 'starttls', socket: () => of(stream) });
    expect((await collect(client.send(MESSAGE))).error).toMatchObject({ code: 'E_INJECTION', phase: 'starttls', outcome: 'not-sent', retryable: false });
    await isClosed;
  });

  it('a Unix socket: each mode once, and no one in between', async () => {
    // The path of a socket must be short, and TMPDIR may be long.
    const folder = await mkdtemp('/tmp/rxsmtp-');
    const path = join(folder, 'smtp.sock');
    try {
      await using server = await startServer({ tls: 'none', users: { ann: 'hunter2' } });
      await using relay = await listen((socket) => { socket.pipe(connectTcp(server.port, '127.0.0.1')).pipe(socket); }, { path });
      await using client = new SmtpClient({ host: 'localhost', socket: path, auth: { user: 'ann', pass: 'hunter2' } });
      expect(client.plans.map(({ security }) => security)).toEqual(['starttls', 'implicit', 'none']);
      const told = await collect(client.send(MESSAGE));
      expect(told.error).toBeUndefined();
      expect(told.types).toContain('authenticated');
      expect(eventOf(told, 'connected').remote).toEqual({ address: path, port: 0 });
      await client.close();
      await relay.idle();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('the password of a proxy is not shown where a server has learned of it', async () => {
  await using server = await startServer({ tls: 'none', faults: [{ at: 'mail', do: 'reply', reply: `554 denied for ann:secret, ${Buffer.from('ann:secret').toString('base64')}` }] });
  await using proxy = await startProxy({ protocol: 'http', credentials: 'ann:secret' });
  await using client = new SmtpClient({ host: server.host, port: server.port, security: 'none', proxy: optionsOf({ protocol: 'http', credentials: 'ann:secret' }, proxy), timeouts: LIMITS });
  const { error } = await collect(client.send(MESSAGE));
  expect(error?.message).toContain('554 denied for ann:***, ');
  expect(`${String(error)}${JSON.stringify(error)}${JSON.stringify(error?.transcript)}`).not.toMatch(/secret|c2VjcmV0|OnNlY3Jld/);
});
