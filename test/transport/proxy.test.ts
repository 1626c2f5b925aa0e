import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import type { ProxyOptions } from '../../src/index.js';
import { localhostCertificate, testAuthority } from '../../src/testing/index.js';
import { failureOf, way } from '../support/dialling.js';
import { GRANTED, startProxy, type FakeProxy, type FakeProxyOptions } from '../support/fake-proxy.js';
import { closedPort, listen } from '../support/listen.js';

type Protocol = FakeProxyOptions['protocol'];

const HOST = 'mail.example.com';
const PROTOCOLS: readonly Protocol[] = ['socks4', 'socks4a', 'socks5', 'http'];
const SECRETS = { user: 'proxy-user', pass: 'hunter2@:/?' };
const LOOKUP = { lookup: ((_host, _options, found) => { found(null, [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]); }) as NonNullable<Parameters<typeof way>[1]['lookup']> };

const proxyOf = (protocol: Protocol, port: number, more: Partial<ProxyOptions> = {}): ProxyOptions => ({ protocol, host: '127.0.0.1', port, ...more });

describe('what a proxy is asked for', () => {
  test.each<[Protocol, string, string]>([
    ['socks4', HOST, '127.0.0.1'], ['socks4', '127.0.0.1', '127.0.0.1'],
    ['socks4a', HOST, HOST], ['socks4a', '127.0.0.1', '127.0.0.1'], ['socks4a', 'b\u00fccher.example', 'xn--bcher-kva.example'],
    ['socks5', HOST, HOST], ['socks5', '127.0.0.1', '127.0.0.1'], ['socks5', '::1', '0000:0000:0000:0000:0000:0000:0000:0001'], ['socks5', 'b\u00fccher.example', 'xn--bcher-kva.example'],
    ['http', HOST, HOST], ['http', '::1', '::1'], ['http', 'b\u00fccher.example', 'xn--bcher-kva.example'],
  ])('%s: %s is %s', async (protocol, host, expected) => {
    await using proxy = await startProxy({ protocol, answer: (client) => client.write(GRANTED[protocol]) });
    // Only SOCKS 4 resolves here.
    const { lookup } = LOOKUP;
    const stream = await firstValueFrom(way(2525, { host, proxy: proxy.url, lookup: protocol === 'socks4' ? lookup : () => { throw new Error('asked'); } }));
    expect(proxy.asked).toMatchObject([{ host: expected, port: 2525 }]);
    expect(stream).toMatchObject({ via: proxy.url, remote: { address: '127.0.0.1', port: proxy.port } });
    stream.destroy();
    await proxy.idle();
  });

  test.each<[Protocol, string | undefined, Partial<ProxyOptions>]>([
    ['socks4', SECRETS.user, { user: SECRETS.user }],
    ['socks5', `${SECRETS.user}:${SECRETS.pass}`, SECRETS],
    ['http', `${SECRETS.user}:${SECRETS.pass}`, SECRETS],
    ['http', 'J\u00fcrgen:p\u00e4ss', { user: 'J\u00fcrgen', pass: 'p\u00e4ss' }],
    ['http', 'proxy-user:', { user: SECRETS.user }],
  ])('%s with credentials', async (protocol, credentials, given) => {
    await using proxy = await startProxy({ protocol, ...(credentials === undefined ? {} : { credentials }), answer: (client) => client.write(GRANTED[protocol]) });
    const stream = await firstValueFrom(way(25, { host: '127.0.0.1', proxy: proxyOf(protocol, proxy.port, given) }));
    expect(proxy.asked[0]?.credentials).toBe(credentials);
    expect(inspect(stream, { depth: 2 })).not.toContain('hunter2');
    expect(stream.via).toBe(proxy.url);
    stream.destroy();
  });

  test('the timer of the SOCKS library holds nothing', async () => {
    await using proxy = await startProxy({ protocol: 'socks5', answer: (client) => client.write(GRANTED.socks5) });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const stream = await firstValueFrom(way(2525, { host: HOST, proxy: proxy.url }));
    expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([1]);
    timers.mockRestore();
    stream.destroy();
  });

  test('a proxy that is bound to needs no other end', async () => {
    await using proxy = await startProxy({ protocol: 'socks5', answer: (client) => client.write(GRANTED.socks5) });
    const asked: unknown[] = [];
    const stream = await firstValueFrom(way(25, { host: HOST, proxy: proxy.url, localEndpoint: (remote) => { asked.push(remote); return { address: '127.0.0.9' }; } }));
    expect(asked).toEqual([{ address: '127.0.0.1', port: proxy.port, family: 4 }]);
    expect(proxy.asked[0]?.from).toMatch(/^127\.0\.0\.9:/);
    stream.destroy();
    expect(await failureOf(way(25, { host: HOST, proxy: proxy.url, localEndpoint: '192.0.2.1' }))).toMatchObject({ code: 'E_CONNECT', reason: 'EADDRNOTAVAIL' });
    expect(await failureOf(way(25, { host: HOST, proxy: proxy.url, localEndpoint: '::1' }))).toMatchObject({ code: 'E_USAGE', phase: 'connect' });
  });
});

describe('what a proxy answers', () => {
  const socks5 = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
  const socks4 = (code: number): Buffer => Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
  const http = (status: string, headers = ''): Buffer => Buffer.from(`HTTP/1.1 ${status}\r\n${headers}\r\n220 not from the server\r\n`);

  test.each<[Protocol, Buffer, string, boolean, string]>([
    ['socks5', socks5(1), 'unreachable', true, '1, general failure'],
    ['socks5', socks5(2), 'denied', false, '2, not allowed'],
    ['socks5', socks5(3), 'unreachable', true, '3, network unreachable'],
    ['socks5', socks5(4), 'unreachable', true, '4, host unreachable'],
    ['socks5', socks5(5), 'unreachable', true, '5, connection refused'],
    ['socks5', socks5(6), 'unreachable', true, '6, TTL expired'],
    ['socks5', socks5(7), 'unsupported', false, '7, command not supported'],
    ['socks5', socks5(8), 'unsupported', false, '8, address type not supported'],
    ['socks5', socks5(99), 'protocol', false, 'none that SOCKS knows'],
    ['socks5', Buffer.from([4, 0, 0, 1, 0, 0, 0, 0, 0, 0]), 'protocol', false, 'none that SOCKS knows'],
    ['socks5', Buffer.from([5, 0, 0, 7, 0, 0, 0, 0, 0, 0]), 'protocol', false, 'no known type'],
    ['socks4', socks4(91), 'unreachable', true, '91, request rejected or failed'],
    ['socks4', socks4(92), 'authentication', false, '92, it cannot ask this machine who the user is. Run identd (RFC 1413)'],
    ['socks4', socks4(93), 'authentication', false, '93, the user is another one. Give the user in the option "proxy" that'],
    ['socks4', socks4(0), 'protocol', false, 'none that SOCKS knows'],
    ['socks4', Buffer.from('220 an SMTP server\r\n'), 'protocol', false, 'none that SOCKS knows'],
    ['http', http('302 Found', 'Location: http://elsewhere/\r\n'), 'protocol', false, '302 Found'],
    ['http', http('400 Bad Request'), 'denied', false, '400 Bad Request'],
    ['http', http('403 Forbidden'), 'denied', false, '403 Forbidden'],
    ['http', http('404 Not Found'), 'denied', false, '404 Not Found'],
    ['http', http('405 No'), 'denied', false, '405 No'],
    ['http', http('407 Who?', 'Proxy-Authenticate: Basic realm="x"\r\n'), 'authentication', false, 'It wants credentials'],
    ['http', http('401 Unauthorized', 'WWW-Authenticate: Basic realm="x"\r\n'), 'authentication', false, 'It wants credentials'],
    ['http', http('407 Who?', 'Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n'), 'authentication', false, 'does not take Basic'],
    ['http', http('407 Who?', 'Proxy-Authenticate: Digest realm="basic auth", nonce="x"\r\n'), 'authentication', false, 'does not take Basic'],
    ['http', http('407 Who?', 'Proxy-Authenticate: Negotiate, basic realm="x"\r\n'), 'authentication', false, 'It wants credentials'],
    ['http', http('401 Unauthorized', 'WWW-Authenticate: Negotiate\r\n'), 'authentication', false, 'does not take Basic'],
    ['http', http('408 Slow'), 'busy', true, '408 Slow'],
    ['http', http('429 Slowly'), 'busy', true, '429 Slowly'],
    ['http', http('500 Unable to connect'), 'unreachable', true, '500 Unable to connect'],
    ['http', http('501 What'), 'unsupported', false, '501 What'],
    ['http', http('505 Which'), 'unsupported', false, '505 Which'],
    ['http', http('502 Bad Gateway'), 'unreachable', true, '502 Bad Gateway'],
    ['http', http('503 Service Unavailable'), 'unreachable', true, '503 Service Unavailable'],
    ['http', http('504 Gateway Timeout'), 'unreachable', true, '504 Gateway Timeout'],
    ['http', http('101 Switching Protocols'), 'protocol', false, '101 Switching Protocols'],
    ['http', http('403 \u001b[2Jforged'), 'denied', false, '403 \\u{1b}[2Jforged'],
    ['http', http(`403 ${'x'.repeat(300)}`), 'denied', false, `403 ${'x'.repeat(200)}. `],
    ['http', Buffer.from('220 an SMTP server\r\n'), 'protocol', false, 'not HTTP'],
    ['http', Buffer.from('ICY 200 OK\r\n\r\n'), 'protocol', false, 'not HTTP'],
    ['http', Buffer.from([5, 0]), 'protocol', false, 'not HTTP'],
  ])('%s: %s', async (protocol, answer, reason, retryable, said) => {
    await using proxy = await startProxy({ protocol, answer: (client) => client.write(answer) });
    const error = await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', outcome: 'not-sent', reason, retryable });
    expect(error.message).toContain(said);
    expect(error.message).toContain(`${proxy.url} `);
    expect(error.message).toContain('stage: request');
    await proxy.idle();
  });

  test.each<[string, Buffer, object, string, Partial<ProxyOptions>?]>([
    ['no acceptable method', Buffer.from([5, 255]), { reason: 'authentication', retryable: false }, 'stage: method negotiation'],
    ['no method with credentials', Buffer.from([5, 255]), { reason: 'authentication' }, 'It takes no user and password', SECRETS],
    ['no method without credentials', Buffer.from([5, 255]), { reason: 'authentication' }, 'It wants credentials: give user and password in the option "proxy"'],
    ['a method that was not offered', Buffer.from([5, 2]), { reason: 'protocol' }, 'stage: method negotiation'],
    ['an unknown method', Buffer.from([5, 9]), { reason: 'protocol' }, 'stage: method negotiation'],
    ['another version', Buffer.from([4, 0]), { reason: 'protocol' }, '(stage: method negotiation): its answer is not SOCKS'],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), { reason: 'protocol' }, 'belong together'],
  ])('socks5: %s at first', async (_title, bytes, expected, said, given) => {
    await using proxy = await startProxy({ protocol: 'socks5', instead: (client) => client.write(bytes) });
    const error = await failureOf(way(25, { host: HOST, proxy: proxyOf('socks5', proxy.port, given) }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', ...expected });
    expect(error.message).toContain(said);
    await proxy.idle();
  });

  test.each<[Protocol, string, Partial<ProxyOptions>]>([
    ['socks4', 'stage: request', { user: 'somebody-else' }],
    ['socks5', 'stage: authentication', { user: 'proxy-user', pass: 'hunter2wrong' }],
    ['socks5', 'stage: method negotiation', {}],
    ['http', 'stage: request', { user: 'proxy-user', pass: 'hunter2wrong' }],
    ['http', 'stage: request', {}],
  ])('%s: wrong credentials, %s', async (protocol, stage, given) => {
    await using proxy = await startProxy({ protocol, credentials: 'proxy-user:right' });
    const error = await failureOf(way(25, { host: '127.0.0.1', proxy: proxyOf(protocol, proxy.port, given) }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'authentication', retryable: false });
    expect(error.message).toContain(stage);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
    await proxy.idle();
  });

  test('credentials that it sends back are not shown, nor where it cuts them short', async () => {
    const given = { user: 'proxy-user', pass: 'CorrectHorse@:/?' };
    const basic = Buffer.from(`${given.user}:${given.pass}`).toString('base64');
    for (const echo of [basic, given.pass, encodeURIComponent(given.pass), basic.slice(0, -6), given.pass.slice(0, -2)]) {
      await using proxy = await startProxy({ protocol: 'http', answer: (client) => client.write(`HTTP/1.1 407 Not ${echo}\r\nX-Echo: ${echo}\r\n\r\n${echo}`) });
      const error = await failureOf(way(25, { host: HOST, proxy: proxyOf('http', proxy.port, given) }));
      expect(error.message).toContain('407 Not ***');
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(echo);
    }
  });

  test.each(['sk_live_51Hz', 'sk_live_51Hz:'])('a user without a password is a key: %s', async (given) => {
    const basic = Buffer.from('sk_live_51Hz:').toString('base64');
    await using proxy = await startProxy({ protocol: 'http', answer: (client) => client.write(`HTTP/1.1 407 Not ${basic} (sk_live_51Hz)\r\n\r\n`) });
    expect((await failureOf(way(25, { host: HOST, proxy: `http://${given}@127.0.0.1:${String(proxy.port)}` }))).message).toContain('407 Not *** (***)');
  });
});

describe('a proxy that fails', () => {
  describe.each(PROTOCOLS)('%s', (protocol) => {
    const end = (answer: (client: Socket) => void): Promise<FakeProxy> => startProxy({ protocol, answer });

    test('hangs up', async () => {
      await using proxy = await end((client) => client.end());
      expect(await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url }))).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'closed', retryable: true });
      await proxy.idle();
    });

    test('hangs up within its answer', async () => {
      await using proxy = await end((client) => client.end(GRANTED[protocol].subarray(0, -1)));
      expect(await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url }))).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'closed' });
      await proxy.idle();
    });

    test('resets', async () => {
      await using proxy = await end((client) => client.resetAndDestroy());
      expect(await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url }))).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'closed', retryable: true });
    });

    test('is silent: timeouts.proxy', async () => {
      await using proxy = await startProxy({ protocol, instead: () => { /* Silence. */ } });
      const error = await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url, timeouts: { proxy: 20 } }));
      expect(error).toMatchObject({ code: 'E_TIMEOUT', phase: 'proxy', limit: 'proxy', retryable: true });
      expect(error.message).toContain(proxy.url);
      await proxy.idle();
    });

    test('drips: timeouts.proxy is for the whole handshake', async () => {
      await using proxy = await startProxy({ protocol, answer: (client) => {
        const bytes = [...GRANTED[protocol].subarray(0, -1)];
        const timer = setInterval(() => { const byte = bytes.shift(); if (byte !== undefined) client.write(Buffer.from([byte])); }, 10);
        client.once('close', () => { clearInterval(timer); });
      } });
      expect(await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url, timeouts: { proxy: 60 } }))).toMatchObject({ code: 'E_TIMEOUT', limit: 'proxy' });
      await proxy.idle();
    });

    test('is cancelled at once, at every stage', async () => {
      // While its code is loaded or the socket opens.
      await using never = await listen();
      way(25, { host: '127.0.0.1', proxy: `${protocol}://127.0.0.1:${String(never.port)}` }).subscribe(() => { throw new Error('emitted'); }).unsubscribe();
      // While it is asked.
      const subscribed: { unsubscribe(): void }[] = [];
      await using proxy = await startProxy({ protocol, answer: () => { subscribed[0]?.unsubscribe(); } });
      subscribed.push(way(25, { host: '127.0.0.1', proxy: proxy.url }).subscribe(() => { throw new Error('emitted'); }));
      while (proxy.asked.length === 0) await new Promise(setImmediate);
      await proxy.idle();
      await never.idle();
    });

    test('is down: no other way is tried', async () => {
      await using server = await listen();
      const error = await failureOf(way(server.port, { host: '127.0.0.1', proxy: `${protocol}://127.0.0.1:${String(await closedPort())}` }));
      expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'ECONNREFUSED', retryable: true });
      expect(server.connections).toHaveLength(0);
    });
  });

  test.each<[Protocol, readonly number[], string]>([
    ['socks5', [], 'method negotiation'], ['socks5', [5], 'method negotiation'], ['socks5', [5, 0], 'request'], ['socks4', [], 'request'], ['socks4', [0], 'request'], ['http', [], 'request'],
  ])('%s: hangs up behind %j (stage: %s)', async (protocol, bytes, stage) => {
    await using proxy = await startProxy({ protocol, instead: (client) => client.once('data', () => client.end(Buffer.from(bytes))) });
    expect((await failureOf(way(25, { host: '127.0.0.1', proxy: proxy.url }))).message).toContain(`(stage: ${stage}): it closed`);
    await proxy.idle();
  });

  test.each<[string, (client: Socket) => void]>([
    ['ends the connection', (client) => client.end()], ['ends it within its answer', (client) => client.end(Buffer.from([1]))], ['resets it', (client) => client.resetAndDestroy()],
  ])('socks5: may refuse user and password where it %s (RFC 1929 section 2)', async (_how, hangUp) => {
    await using proxy = await startProxy({ protocol: 'socks5', instead: (client) => client.once('data', () => client.once('data', () => { hangUp(client); }).write(Buffer.from([5, 2]))) });
    const error = await failureOf(way(25, { host: '127.0.0.1', proxy: proxyOf('socks5', proxy.port, SECRETS) }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'closed', retryable: true });
    expect(error.message).toMatch(/\(stage: authentication\): (?:it closed the connection|the connection was lost).*check them in the option "proxy", or try again later\.$/);
  });

  test('has answered before it was asked', async () => {
    // The method and the way in one breath; and the way, behind the one that the proxy in front of it opens.
    await using hasty = await startProxy({ protocol: 'socks5', instead: (client) => client.once('data', () => client.write(Buffer.concat([Buffer.from([5, 0]), GRANTED.socks5]))) });
    await using near = await startProxy({ protocol: 'http', answer: (client) => client.write(Buffer.concat([GRANTED.http, GRANTED.http])) });
    for (const proxy of [hasty.url, [near.url, 'http://127.0.0.1:3128']]) {
      const error = await failureOf(way(25, { host: '127.0.0.1', proxy }));
      expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'protocol', retryable: false });
      expect(error.message).toContain('before it was asked');
    }
    await Promise.all([hasty.idle(), near.idle()]);
  });

  test('has no address', async () => {
    expect(await failureOf(way(25, { host: '127.0.0.1', proxy: 'http://proxy.example.com', lookup: (_host, _options, found) => { found(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []); } })))
      .toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'ENOTFOUND', retryable: false });
  });

  test('socks4 and a server with IPv6 only', async () => {
    const error = await failureOf(way(25, { host: HOST, proxy: 'socks4://127.0.0.1:1', lookup: (_host, _options, found) => { found(null, [{ address: '::1', family: 6 }]); } }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'unsupported', retryable: false });
    expect(error.message).toContain('IPv4 only');
  });
});

test.each<[Protocol, Protocol]>([['socks5', 'http'], ['http', 'socks5'], ['http', 'https'], ['https', 'https'], ['socks4', 'socks4a'], ['https', 'socks5']])('a chain: %s, then %s', async (first, second) => {
  await using server = await listen((socket) => socket.write('220 hi\r\n'));
  const certificate = localhostCertificate;
  await using near = await startProxy({ protocol: first, certificate });
  await using far = await startProxy({ protocol: second, certificate });
  const tls = { ca: testAuthority };
  const proxy = [proxyOf(first, near.port, first === 'https' ? { tls } : {}), proxyOf(second, far.port, second === 'https' ? { tls } : {})];
  const stream = await firstValueFrom(way(server.port, { host: '127.0.0.1', proxy }));
  expect(String(await firstValueFrom(stream.bytes))).toBe('220 hi\r\n');
  expect(stream.via).toBe(`${near.url} -> ${far.url}`);
  expect(near.asked).toMatchObject([{ host: '127.0.0.1', port: far.port }]);
  expect(far.asked).toMatchObject([{ host: '127.0.0.1', port: server.port }]);
  stream.destroy();
  await Promise.all([near.idle(), far.idle(), server.idle()]);
});
