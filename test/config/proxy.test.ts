import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { fromJson } from '../../src/config/index.js';
import { settings, type SmtpOptions } from '../../src/config/options.js';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { proxyFromEnv } from '../../src/index.js';

const proxiesOf = (proxy: unknown, host = 'mail.example.com'): readonly object[] => settings({ host, proxy } as SmtpOptions).proxies;

test.each<[unknown, object[]]>([
  [undefined, []],
  ['socks5://127.0.0.1', [{ protocol: 'socks5', host: '127.0.0.1', port: 1080, user: undefined, pass: undefined }]],
  ['socks5h://Proxy.Example.:9050/', [{ protocol: 'socks5', host: 'proxy.example', port: 9050 }]],
  ['socks://[::1]:1', [{ protocol: 'socks5', host: '::1', port: 1 }]],
  ['socks4://ann@p', [{ protocol: 'socks4', host: 'p', port: 1080, user: 'ann' }]],
  ['socks4a://p', [{ protocol: 'socks4a', port: 1080 }]],
  ['http://p', [{ protocol: 'http', port: 80, tls: undefined }]], ['http://p:80', [{ protocol: 'http', port: 80 }]], ['http://p:3128/', [{ port: 3128 }]],
  ['https://p', [{ protocol: 'https', port: 443, tls: { rejectUnauthorized: true } }]],
  [{ protocol: 'https', host: 'b\u00fccher.example', tls: { servername: 'other' } }, [{ host: 'xn--bcher-kva.example', tls: { servername: 'other' } }]],
  [['http://a', { protocol: 'socks5', host: 'b' }], [{ protocol: 'http', host: 'a' }, { protocol: 'socks5', host: 'b' }]],
])('%j is %j', (proxy, expected) => { expect(proxiesOf(proxy)).toMatchObject(expected); });

test('user and password are decoded once, and hidden', () => {
  const [proxy] = settings({ host: 'a', proxy: 'socks5://a%40b:p%3a%2525@p' }).proxies;
  expect(proxy?.user).toBe('a@b');
  expect(proxy?.pass?.reveal()).toBe('p:%25');
  expect(inspect(proxy, { depth: Infinity })).not.toContain('p:%25');
});

test.each<[string, unknown, string?]>([
  ['proxy', 5], ['proxy', []], ['proxy', ''], ['form', 'p:1080'], ['form', 'ftp://p'], ['form', 'smtp://p'], ['"proxy.host"', 'socks5://'], ['end behind', 'http://p/path'], ['end behind', 'http://p?x=1'],
  ['more than one "@"', 'socks5://a:hunter2@x@p'], ['Write %2F', 'socks5://a:hunt/er2@p'], ['"%"', 'socks5://a:hunter2%@p'], ['blank', 'socks5://a:hunter2 @p'], ['blank', 'http://p\r\nX: y'], ['The option "proxy" cannot be read: its port', 'http://a:hunter2@p:99999'], ['%24%7B', 'http://a:${hunter2}@p'],
  ['"proxy.pass" is missing', 'socks5://ann@p'], ['without "proxy.user"', 'socks5://:hunter2@p'], ['no password', 'socks4://ann:hunter2@p'],
  ['255 bytes', { protocol: 'socks5', host: 'p', user: 'a', pass: 'hunter2'.repeat(40) }], ['colon', { protocol: 'http', host: 'p', user: 'a:b', pass: 'hunter2' }],
  ['https only', { protocol: 'http', host: 'p', tls: {} }], ['"proxy.tls.ca"', { protocol: 'https', host: 'p', tls: { ca: 5 } }], ['"proxy.protocol"', { protocol: 'socks6', host: 'p' }],
  ['Did you mean "proxy.host"', { protocol: 'http', hots: 'p' }], ['"proxy[1].port"', ['http://a', { protocol: 'http', host: 'p', port: 0 }]],
  ['"proxy.host"', { protocol: 'http', host: 'a\r\nX: y' }], ['"proxy.host"', { protocol: 'http', host: `${'a'.repeat(256)}.example` }], ['"proxy.pass"', { protocol: 'http', host: 'p', user: 'a', pass: 'hunter2\r\nX: y' }],
  ['IPv6', 'socks4://p', '::1'], ['IPv6', 'socks4a://p', '[2001:db8::1]'], ['IPv6', ['socks4://p', 'http://[::1]']],
])('refuses %s of %j', (said, proxy, host) => {
  expect(() => proxiesOf(proxy, host)).toThrow(SmtpUsageError);
  try { proxiesOf(proxy, host); } catch (error) {
    expect((error as Error).message).toContain(said);
    expect((error as Error).message).not.toContain('hunter2');
  }
});

test.each(['a b', 'a\r\nX: y', 'a:1', '[::1', 'a/b', `${'a.'.repeat(128)}example`])('a target that is no host is refused before any proxy hears of it: %j', (host) => {
  expect(() => proxiesOf('http://p', host)).toThrow('"host"');
});

test.each([['proxy', 'http://p'], ['localEndpoint', '127.0.0.1'], ['lookup', () => undefined]])('"socket" and "%s" exclude each other', (name, value) => {
  expect(() => settings({ host: 'a', socket: '/run/smtp.sock', [name]: value })).toThrow(`"socket" and "${name}"`);
});

test('"socket" is no path that is cut where it is used', () => {
  const path = (bytes: number): string => `/${'ü'.repeat((bytes - 1) / 2)}`;
  expect(settings({ host: 'a', socket: path(103) }).socket).toBe(path(103));
  for (const read of [settings, (options: SmtpOptions) => fromJson(JSON.stringify(options))]) expect(() => read({ host: 'a', socket: path(109) })).toThrow('The option "socket" is longer than the 10');
});

test.each([5, 'smtp.sock', '', {}])('"socket" is no %j', (socket) => {
  expect(() => settings({ host: 'a', socket } as unknown as SmtpOptions)).toThrow('"socket"');
});

describe('proxyFromEnv', () => {
  test.each<[Record<string, string>, object | undefined]>([
    [{}, undefined], [{ ALL_PROXY: '' }, undefined], [{ HTTP_PROXY: 'http://a' }, undefined],
    [{ ALL_PROXY: 'socks5://a:1' }, { protocol: 'socks5', host: 'a', port: 1 }],
    [{ all_proxy: 'socks5h://ann:p%40ss@a' }, { protocol: 'socks5', user: 'ann', pass: 'p@ss' }],
    [{ ALL_PROXY: 'http://a', SMTP_PROXY: 'http://b' }, { host: 'b' }], [{ SMTP_PROXY: 'http://b', smtp_proxy: 'http://c' }, { host: 'c' }],
    [{ HTTPS_PROXY: 'http://c:3128' }, { host: 'c', port: 3128 }], [{ HTTPS_PROXY: 'c:3128' }, { protocol: 'http', host: 'c', port: 3128 }],
  ])('%j is %j', (env, expected) => {
    const proxy = proxyFromEnv(env);
    if (expected === undefined) expect(proxy).toBeUndefined();
    else expect(proxy).toMatchObject(expected);
    expect(settings({ host: 'mail.example.com', proxy }).proxies).toHaveLength(expected === undefined ? 0 : 1);
  });

  test('names the variable that is wrong, and never its value', () => {
    expect(() => proxyFromEnv({ ALL_PROXY: 'ftp://ann:hunter2@a' })).toThrow(/^The variable ALL_PROXY must(?!.*hunter2)/);
    expect(() => proxyFromEnv({ all_proxy: 'http://ann:hunter2@x@a' })).toThrow(/^The variable all_proxy has(?!.*hunter2)/);
  });

  test.each<[string, string, number | undefined, boolean]>([
    ['*', 'mail.example.com', undefined, true], ['', 'mail.example.com', undefined, false],
    ['example.com', 'mail.example.com', 25, true], ['example.com', 'example.com', 25, true], ['.example.com', 'mail.example.com', 25, true], ['*.example.com', 'mail.example.com', 25, true],
    ['example.com', 'badexample.com', 25, false], ['mail.example.com', 'example.com', 25, false], ['EXAMPLE.com', 'Mail.example.COM.', 25, true],
    ['a, example.com:587', 'mail.example.com', 587, true], ['example.com:587', 'mail.example.com', 25, false], ['example.com:587', 'mail.example.com', undefined, false],
    ['a b example.com', 'mail.example.com', 25, true], ['xn--bcher-kva.example', 'b\u00fccher.example', 25, true], ['b\u00fccher.example', 'B\u00fccher.example', 25, true], ['*.b\u00fccher.example:25', 'mail.xn--bcher-kva.example', 25, true], ['b\u00fccher.example/8', 'b\u00fccher.example', 25, false],
    ['10.0.0.0/8', '10.1.2.3', 25, true], ['10.0.0.0/8', '11.1.2.3', 25, false], ['10.1.2.3', '10.1.2.3', 25, true], ['10.1.2.3:25', '10.1.2.3', 25, true], ['10.1.2.3:26', '10.1.2.3', 25, false],
    ['2001:db8::/32', '2001:db8::1', 25, true], ['2001:db8::/32', '[2001:db8::1]', 25, true], ['2001:db8::/32', '2001:db9::1', 25, false], ['[::1]:25', '::1', 25, true], ['[::1]:26', '::1', 25, false], ['::1', '0:0:0:0:0:0:0:1', 25, true],
    ['10.0.0.0/99', '10.1.2.3', 25, false], ['10.0.0.0/x', '10.1.2.3', 25, false], ['0.1', '10.0.0.1', 25, false], ['10.0.0.0/8', '10.example.com', 25, false], ['0.0.0.0/0', '::1', 25, false],
  ])('NO_PROXY=%j and %s:%s: %s', (list, host, port, exempt) => {
    expect(proxyFromEnv({ ALL_PROXY: 'http://a', NO_PROXY: list }, host, port) === undefined).toBe(exempt);
  });
});
