import { describe, expect, it, test, vi } from 'vitest';
import { fromDotNetConfig, fromEnv, fromJson, fromUrl } from '../../src/config/index.js';
import { SmtpClient, SmtpUsageError, type SmtpOptions } from '../../src/index.js';
import { file } from '../support/files.js';

test.each<[string, object]>([
  ['smtp://mail.example.com', { host: 'mail.example.com' }],
  ['smtp://mail.example.com:2525/', { host: 'mail.example.com', port: 2525 }],
  ['smtps://user:p%40ss@host:465?clientName=a', { host: 'host', port: 465, security: 'implicit', auth: { user: 'user', pass: 'p@ss' }, clientName: 'a' }],
  ['smtps://host', { host: 'host', port: 465, security: 'implicit' }],
  ['smtp+starttls://B%C3%BCcher.example:587', { host: 'xn--bcher-kva.example', port: 587, security: 'starttls' }],
  ['smtp://a%40b.c:%2525@[::1]:25', { host: '::1', port: 25, auth: { user: 'a@b.c', pass: '%25' } }],
  ['smtp://host?timeouts.greeting=5000&timeouts.operation=Infinity&security=auto', { host: 'host', security: 'auto', timeouts: { greeting: 5000, operation: Infinity } }],
  ['smtp://host?security=implicit,starttls&allowedAuthentication=plain', { host: 'host', security: ['implicit', 'starttls'], allowedAuthentication: ['plain'] }],
  ['smtp://user:%24%7BHOME}@host', { host: 'host', auth: { user: 'user', pass: '${HOME}' } }],
  ['smtp://host?stagger=300', { host: 'host', stagger: 300 }],
  ['smtp://host?proxy=socks5://u:p+x%40p:1080', { host: 'host', proxy: 'socks5://u:p+x@p:1080' }],
  ['smtp://host?localEndpoint=192.0.2.1', { host: 'host', localEndpoint: '192.0.2.1' }],
])('%s', (url, options) => {
  expect(fromUrl(url)).toEqual(options);
  expect(new SmtpClient(url).plans).toEqual(new SmtpClient(options as SmtpOptions).plans);
});

test.each<[string, string]>([
  ['smtp://user:hunter2@x@host', 'Write %40 for each but the one in front of its host'], ['smtp://user:hun/ter2@host', 'Write %2F'], ['smtp://user:12#hunter2@host', 'Write %2F, %3F and %23'], ['smtp://user:12?hunter2@host', 'Write %2F'],
  ['smtp://a@evil#@good', 'more than one "@"'], ['smtp://a\\@good', 'backslash'], ['smtp://ho\tst', 'control'], [`smtp://${'a\u0316\u0301'.repeat(400)}`, 'has a host of more than 1024 characters'], ['smtps://host\n', 'Remove it, or percent-encode it'], ['smtp://host#x', 'must end behind'], ['smtp://host/client.name', '"?clientName="'],
  ['http://host', 'form'], ['mail.example.com', 'cannot be read'], ['smtp:host', 'cannot be read. It must'], ['smtp://', '"host"'], ['smtp://user:hunter2@host:99999', 'cannot be read: its port must be a number, 1 to 65535'],
  ...['h:65536', 'h:-1', 'h:1e3', 'h:undefined', 'user:hunter2@h:25a', '[::1]:hunter2', 'user:hunter2'].map((end): [string, string] => [`smtp://${end}`, 'its port must be a number, 1 to 65535. It must have the form']),
  ...['::1:25', 'fe80::1', 'fe80::abcd', 'ann:hunter2@fe80::1'].map((end): [string, string] => [`smtp://${end}`, 'an IPv6 address must be in brackets. It must have the form']),
  ...['[::1', 'user:hunter2:1@[::g]:65535'].map((end): [string, string] => [`smtp://${end}`, 'cannot be read. It must']),
  ...['[::1%lo]', '[fe80::1%25eth0]:25', 'user:hunter2@[::1%1]:x'].map((end): [string, string] => [`smtp://${end}`, 'a zone, as in "fe80::1%eth0", cannot stand in a URL, only in the option "host"']),
  ['smtp://user@host', 'The URL names a user and no password (auth.pass).'], ['smtp://:hunter2@host', 'The URL names a password and no user (auth.user).'], ['smtp://user:hunter2%@host', '%25'],
  ['smtp://host?clientNme=a', 'Did you mean "clientName"'], ['smtp://host?pass=hunter2', 'Unknown option "pass"'], ['smtp://host?tls.rejectUnauthorized=false', 'The option "tls" cannot stand in the query of a URL. Give it beside the URL: { ...fromUrl(url), tls }.'], ['smtp://host?rejectUnauthorized=false', 'It stands in "tls", and with a URL beside it: { ...fromUrl(url), tls }.'], ['smtp://host?maxConnections=2', '{ ...fromUrl(url), pool }'],
  ...['pool', 'pool.maxConnections', 'allowInsecureAuth', 'pipelining', 'socket'].map((name): [string, string] => [`smtp://host?${name}=2`, `The option "${name.replace(/\..*/, '')}" cannot stand in the query of a URL.`]), ['smtp://host?timeouts=5', 'Unknown option "timeouts" in the URL. Known are clientName, '], ['smtp://host?timeouts.greting=5', 'Did you mean "timeouts.greeting"?'],
  ['smtp://host?clientName=a&clientName=b', 'twice'], ['smtps://host?security=none', 'twice'],
  ['smtp://host?timeouts.greeting=0', '"timeouts.greeting"'], ...['5s', '1e3', '0x10', ''].map((value): [string, string] => [`smtp://host?timeouts.command=${value}`, '"timeouts.command"']), ['smtp://host?security=ssl', '"security"'], ['smtp://host:0', '"port"'], ['smtp://host?stagger=soon', '"stagger"'], ...['tls', 'ssl', 'secure', 'STARTTLS', 'requireTLS', 'ignoreTLS'].map((name): [string, string] => [`smtp://host?${name}=true`, 'How it is secured is said by its scheme, smtps://']), ['smtp://host?proxy=socks5://u:p@h', 'Write %2F, %3F and %23 for those in user and password, and %40 for an "@" in its query.'],
  ['smtp://host?timeout=5', 'It is called "timeouts.operation"'], ['smtp://host?name=me', 'It is called "clientName"'], ['smtp://host?localEndpoint=eth0', '"localEndpoint"'], ['smtp://user:hunter2%0D%0AQUIT@host', '"auth.pass"'],
  ['smtp://user:${hunter2}@host', 'only JSON and XML are. Write %24%7B'], ['smtp://user:hunter2\ud800@host', 'half a character'],
])('%s is refused: %s', (url, text) => {
  const call = (): unknown => fromUrl(url);
  expect(call).toThrow(SmtpUsageError);
  expect(call).toThrow(text);
  try { call(); } catch (error) { expect((error as Error).message).not.toMatch(/hun|ter2/); }
});

describe('the environment', () => {
  it('has a variable for each option, under any prefix', () => {
    expect(fromEnv({ SMTP_HOST: 'host', SMTP_PORT: '587', SMTP_USER: 'ann', SMTP_PASSWORD: 'x', SMTP_SECURITY: 'starttls', SMTP_CLIENT_NAME: 'me', SMTP_FROM: 'ann@example.com', OTHER: 'y' })).toEqual({
      host: 'host', port: 587, auth: { user: 'ann', pass: 'x' }, security: 'starttls', clientName: 'me', defaults: { from: 'ann@example.com' },
    });
    expect(fromEnv({ MAIL_URL: 'smtps://host', SMTP_HOST: 'other' }, 'MAIL_')).toMatchObject({ host: 'host', port: 465 });
    expect(fromEnv({ SMTP_URL: 'smtp://a', SMTP_CLIENT_NAME: 'c' })).toEqual({ host: 'a', clientName: 'c' });
  });

  it('is that of the process where none is given', () => {
    // A developer may have some of them.
    for (const name of Object.keys(process.env)) if (name.startsWith('SMTP_')) vi.stubEnv(name, undefined);
    vi.stubEnv('SMTP_HOST', 'host');
    expect(fromEnv()).toEqual({ host: 'host' });
  });

  it.each([['text', 'from file\n'], ['text with a byte order mark', '\ufefffrom file\n']])('may name a file that holds the password: %s', (_, content) => {
    expect(fromEnv({ SMTP_HOST: 'host', SMTP_USER: 'ann', SMTP_PASSWORD_FILE: file('pass', content) }).auth).toEqual({ user: 'ann', pass: 'from file' });
  });

  const HOST = { SMTP_HOST: 'b' };
  const KUBERNETES = /^The variable SMTP_PORT comes from Kubernetes.*"enableServiceLinks: false"/;
  it.each<[reason: RegExp | string, env: Readonly<Record<string, string>>]>([
    ['SMTP_HOST', {}],
    ['The variable SMTP_URL stands alone; leave out SMTP_HOST and SMTP_PASSWORD_FILE.', { SMTP_URL: 'smtp://a', SMTP_HOST: 'b', SMTP_PASSWORD_FILE: '/nonexistent' }],
    [KUBERNETES, { SMTP_URL: 'smtp://a', SMTP_PORT: 'tcp://10.0.0.11:25' }], [KUBERNETES, { SMTP_HOST: 'smtp://a', SMTP_PORT: 'tcp://10.0.0.11:25' }],
    ['SMTP_CLIENT_NAME and "clientName" in SMTP_URL say the same thing; leave one.', { SMTP_URL: 'smtp://a?clientName=b', SMTP_CLIENT_NAME: 'c' }],
    ['The variable SMTP_HOST holds a URL. Put that into SMTP_URL.', { SMTP_HOST: 'smtp://a' }],
    ['The variable SMTP_PORT must be a port in digits alone', { ...HOST, SMTP_PORT: '587 ' }],
    ['SMTP_PASS', { ...HOST, SMTP_USER: 'x' }], ['SMTP_USER', { ...HOST, SMTP_PASSWORD: 'x' }], ['SMTP_PASSWORD', { ...HOST, SMTP_PASS: 'x', SMTP_PASSWORD: 'x' }],
    ['SMTP_PASSWORD_FILE', { ...HOST, SMTP_PASSWORD_FILE: '/nonexistent' }],
    ['is not valid UTF-8', { ...HOST, SMTP_USER: 'ann', SMTP_PASSWORD_FILE: file('latin', Buffer.from('gr\xfc\xdfe', 'latin1')) }],
  ])('is refused: %s', (reason, env) => { expect(() => fromEnv(env)).toThrow(reason); });
});

describe('JSON', () => {
  const path = file('crlf', 'from file\r\n');
  const env = { HOST: 'host', EMPTY: '', PASS: 'p"${HOST}' };

  it.each<[string, object]>([
    ['{"host":"host","from":"ann@example.com","timeouts":{"greeting":5}}', { host: 'host', timeouts: { greeting: 5 }, defaults: { from: 'ann@example.com' } }],
    ['{"host":"host","defaults":{"from":"ann@example.com"}}', { host: 'host', defaults: { from: 'ann@example.com' } }],
    ['{"host":"mail.${HOST}","auth":{"user":"a$${b}$","pass":"${PASS}"}}', { host: 'mail.host', auth: { user: 'a${b}$', pass: 'p"${HOST}' } }],
    ['{"host":"host","tls":{"servername":"${HOST}"},"security":["starttls"]}', { host: 'host', tls: { servername: 'host' }, security: ['starttls'] }],
    [JSON.stringify({ host: 'host', auth: { user: 'ann', passwordFile: path } }), { host: 'host', auth: { user: 'ann', pass: 'from file' } }],
    ['\ufeff{"host":"host"}', { host: 'host' }],
  ])('%s', (text, options) => { expect(fromJson(text, env)).toEqual(options); });

  it('shows a name as it can be shown', () => {
    const name = `x\n2026-11-28 ERROR \u001b[2J${'y'.repeat(100)}`;
    expect(() => fromJson(JSON.stringify({ [name]: '${NOPE}' }), {})).toThrow(`option "x\\u{a}2026-11-28 ERROR \\u{1b}[2J${'y'.repeat(41)}"`);
  });

  it.each<[string, string | RegExp]>([
    ['hunter2', /not valid JSON\.$/], ['{"a":h at position 5', /not valid JSON\.$/], ['\ufeff{"host":"h",\n"port":25,}', 'not valid JSON: see line 2, column 11.'], ['{"host":"h","auth":{"pass":"hunter2}', 'see line 1, column 37.'], ['{"host":"a","auth":{"pass":hunter2 in JSON at position 5', 'not valid JSON.'], ['{"port": ${PORT}}', 'Write "${NAME}" in quotation marks: it fills in text'], ['[]', 'an object'], ['5', 'an object'], ['"hunter2"', 'an object'],
    ['{"host":"a","__proto__":{"tls":{"rejectUnauthorized":false}}}', '"__proto__"'], ['{"host":"a","constructor":{"prototype":{}}}', '"constructor"'], ['{"host":"a","tls":{"__proto__":{}}}', '"tls.__proto__"'],
    ['{"Smtp":{"HostName":"host","Port":587,"UserName":"ann","Password":"hunter2"}}', '"Smtp" is not needed here: what it holds stands at the top, as "host", "port" and "auth"'],
    ['{"hots":"a"}', 'Did you mean "host"'], ['{"host":"a","port":"25"}', '"port"'], ['{"host":"a","timeouts":{"greeting":0}}', '"timeouts.greeting"'],
    ['{"host":"a","from":"a","defaults":{}}', 'leave one'], ['{"host":"a","from":5}', 'option "from" must be a string'],
    ['{"host":"a","auth":{"user":"u","pass":"hunter2","passwordFile":"hunter2"}}', 'leave one'], ['{"host":"a","auth":{"user":"u","passwordFile":5}}', '"auth.passwordFile"'],
    ['{"host":"a","auth":{"user":"u","passwordFile":"/nonexistent/hunter2"}}', '"auth.passwordFile" names cannot be read (ENOENT)'], ['{"host":"a","auth":{"user":"u","passwordFile":"/dev/null"}}', '"auth.passwordFile" names is empty'],
    ['{"host":"a","auth":{"user":"u","passwordFile":"/dev/zero"}}', '"auth.passwordFile" names is longer than 64 KiB'],
    ['{"host":"a","auth":{"user":"u","passwordfile":"hunter2"}}', 'Unknown option "auth.passwordfile". Did you mean "auth.passwordFile"?'], ['{"host":"a","auth":{"user":"u","passFile":"hunter2"}}', 'is called "auth.passwordFile"'], ['{"host":"a","auth":{"user":"u","password":"hunter2"}}', 'Did you mean "auth.pass"?'],
    ['{"host":"a","From":"a"}', 'Unknown option "From". Did you mean "from"?'], ['{"host":"a","x":5}', 'proxy, lmtp, from.'],
    ...['token', 'external'].map((way): [string, string] => [`{"host":"a","auth":{"${way}":"hunter2","passwordFile":"hunter2"}}`, `"auth.passwordFile" and "auth.${way}" exclude each other; leave one.`]),
    ['{"host":"a","auth":{"user":"u","pass":"${MISSING}"}}', 'option "auth.pass" asks for the environment variable MISSING, which is not set'],
    ['{"host":"a","auth":{"user":"u","pass":"${EMPTY}"}}', '"auth.pass"'], ['{"host":"a","auth":{"user":"u","pass":"x${hunter2!}"}}', 'Write "$${"'], ['{"host":"a","tls":{"ca":["${"]}}', 'option "tls.ca[0]"'],
    [`{"host":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, '"host"'],
  ])('refuses %s', (text, reason) => {
    const call = (): unknown => fromJson(text, env);
    expect(call).toThrow(SmtpUsageError);
    expect(call).toThrow(reason);
    expect(call).not.toThrow('hunter2');
  });
});

test.each([['fromUrl', fromUrl], ['fromJson', fromJson], ['fromDotNetConfig', fromDotNetConfig]])('%s reads nothing but strings', (_, read) => {
  for (const given of [undefined, null, 5, Buffer.from('{}'), ['{}'], { toString: () => { throw new Error('asked'); } }]) expect(() => read(given as never)).toThrow(SmtpUsageError);
});
