import { inspect } from 'node:util';
import { of as of$ } from 'rxjs';
import { afterEach, expect, test } from 'vitest';
import { settings, type SmtpOptions } from '../../src/config/options.js';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { fixture } from '../support/tls-server.js';
import { takesNoTime } from '../support/takes-no-time.js';

const of = (more: object): ReturnType<typeof settings> => settings({ host: 'mail.example.com', ...more });

test.each<[string, string]>([
  ['Mail.Example.COM.', 'mail.example.com'], ['127.0.0.01', '127.0.0.1'], ['b\u00fccher.example', 'xn--bcher-kva.example'], ['[::1]', '::1'], ['FE80::1%eth0', 'fe80::1%eth0'],
  ['127.0.0.1', '127.0.0.1'], ['localhost', 'localhost'], ['smtp_relay', 'smtp_relay'],
])('host %s is %s', (host, expected) => { expect(settings({ host }).host).toBe(expected); });

test.each<[object, object]>([
  [{}, { modes: 'tls', silence: 5000, timeouts: { greeting: 30_000 } }],
  [{ host: 'localhost' }, { modes: 'auto', silence: 5000 }],
  [{ host: '127.9.9.9' }, { modes: 'auto' }],
  [{ host: '[::1]' }, { modes: 'auto' }],
  [{ host: '0:0:0:0:0:0:0:1' }, { modes: 'auto' }],
  [{ host: '::ffff:127.0.0.1' }, { modes: 'auto' }],
  [{ host: '::ffff:192.0.2.1' }, { modes: 'tls' }],
  [{ host: '::1:1' }, { modes: 'tls' }],
  [{ security: 'implicit' }, { modes: ['implicit'], silence: 30_000, timeouts: { greeting: 30_000 } }],
  [{ security: 'starttls' }, { modes: ['starttls'], silence: 5000 }],
  [{ security: 'starttls', port: 587 }, { silence: 30_000, port: 587 }],
  [{ security: ['none', 'implicit'], port: 25 }, { modes: ['none', 'implicit'], silence: 5000 }],
  [{ timeouts: { command: 1, operation: Infinity } }, { timeouts: { command: 1, operation: Infinity, connect: 60_000, greeting: 30_000 }, silence: 5000 }],
  [{ timeouts: { greeting: 7000 } }, { timeouts: { greeting: 7000 }, silence: 7000 }],
  [{ allowedAuthentication: ['plain'] }, { allowedAuthentication: ['PLAIN'] }],
  [{ auth: { user: 'ann', pass: 'x' }, allowedAuthentication: ['XOAUTH2', 'SCRAM-SHA-999', 'scram-sha-1-plus'] }, { allowedAuthentication: ['XOAUTH2', 'SCRAM-SHA-999', 'SCRAM-SHA-1-PLUS'] }],
  [{ auth: { name: 'X-Own', done: true, start: () => undefined, next: () => undefined }, allowedAuthentication: ['x-own'] }, { allowedAuthentication: ['X-OWN'] }],
  [{ clientName: 'me.example.com' }, { clientName: 'me.example.com' }],
  [{ stagger: 300 }, { stagger: 300 }],
  [{}, { stagger: undefined }],
  [{ pool: false }, { pool: { maxConnections: Infinity, maxMessages: 1, idleTimeout: 0, concurrency: 5 } }],
  [{}, { pool: { maxConnections: 5, maxMessages: 100, maxAge: Infinity, idleTimeout: 55_000 }, pipelining: { enabled: true, depth: undefined }, allowInsecureAuth: false, credentials: undefined }],
  [{ pool: { maxConnections: 1 }, pipelining: { depth: 3 } }, { pool: { maxConnections: 1, maxMessages: 100 }, pipelining: { enabled: true, depth: 3 } }],
  [{ lmtp: false }, { modes: 'tls' }],
  [{ pipelining: false }, { pipelining: { enabled: false, depth: undefined } }],
  [{ localEndpoint: { address: '127.0.0.1', port: 0 } }, { localEndpoint: { address: '127.0.0.1', port: 0 } }],
  [{ localEndpoint: '::1' }, { localEndpoint: '::1' }],
  [{ tls: { versions: ['TLSv1'], ciphers: 'HIGH:!aNULL:!EXPORT:-ADH' } }, { tls: { versions: ['TLSv1'], rejectUnauthorized: true } }],
  [{ port: undefined, auth: undefined }, { port: undefined }],
])('%j gives %j', (options, expected) => { expect(of(options)).toMatchObject(expected); });

test.each<[string, unknown]>([
  ['or false. Leave it out', { host: 'a', pool: true }], ['true or false', { host: 'a', pipelining: 'yes' }], ['an address or a function', { host: 'a', localEndpoint: 5 }], ['or a URL', { host: 'a', proxy: 5 }], ['"tls" must be an object', { host: 'a', tls: null }], ['"tls" must be an object', { host: 'a', tls: new Map() }], ['"pool" must be an object', { host: 'a', pool: new Date() }],
  ['The options must be an object, and no promise: await it.', Promise.resolve({ host: 'a' })], ['The options must be an object, and no Observable.', of$({ host: 'a' })], ['Unknown option "defaults.headers". Known: from.', { host: 'a', defaults: { headers: {} } }],
  ['The option "host" is missing.', {}], ['The option "host" is missing.', { host: undefined }], ['It holds a blank or a quotation mark.', { host: 'mail.example.com ' }], ['It holds a blank or a quotation mark.', { host: '"mail.example.com"' }], ['or an IP address, and no promise', { host: Promise.resolve('a') }],
  ['"port" must be a port, 1 to 65535, and no text.', { host: 'a', port: '587' }], ['"allowInsecureAuth" must be true or false, and no text.', { host: 'a', allowInsecureAuth: 'true' }], ['above zero, or Infinity, and no text.', { host: 'a', timeouts: { connect: '5000' } }], ['"port" must be a port, 1 to 65535.', { host: 'a', port: NaN }],
  ['The option "auth.user" is missing.', { host: 'a', auth: {} }], ['The option "auth.user" is missing.', { host: 'a', auth: { pass: 'hunter2' } }], ['"auth.pass" is missing, or "auth.token".', { host: 'a', auth: { user: 'x', token: undefined } }], ['"auth.pass" must not be empty.', { host: 'a', auth: { user: 'x', pass: '' } }], ['"auth.pass" must be a string, and no promise: await it.', { host: 'a', auth: { user: 'x', pass: Promise.resolve('hunter2') } }],
  ['"auth.token" must be a string, or a function that gives one, and no promise', { host: 'a', auth: { user: 'x', token: Promise.resolve('hunter2') } }], ['or a function that gives one, and no Observable.', { host: 'a', auth: { user: 'x', token: of$('hunter2') } }], ['without "Bearer" in front', { host: 'a', auth: { user: 'x', token: 'Bearer hunter2' } }],
  ['host', { host: '' }], ['host', { host: 'a b' }], ['host', { host: 5 }], ['host', { host: 'a\r\nb' }], ['host', {}],
  ['A URL is no host: write only its host here', { host: 'smtp://a' }], ['The port is an option', { host: 'a:25' }], ['host', { host: '..' }],
  ['Did you mean "host"', { hots: 'a' }], ['Did you mean "host"', { ohst: 'a' }], ['Did you mean "tls"', { host: 'a', lts: {} }], ['Unknown option "timeouts.dns".', { host: 'a', timeouts: { dns: 1 } }], ['"secure" is called "security" here', { host: 'a', secure: true }], ['"ssl" is said by "security" here', { host: 'a', ssl: true }], ['"rejectUnauthorized" stands in "tls"', { host: 'a', rejectUnauthorized: false }], ['"dkim" is not supported yet. Have nodemailer sign', { host: 'a', dkim: {} }], ['"from" stands in each message here', { host: 'a', from: 'ann@example.com' }], ['"timeouts.greeting"', { host: 'a', greetingTimeout: 1 }], ['"connectionTimeout" is several limits here', { host: 'a', connectionTimeout: 1 }], ['"servername" stands in "tls"', { host: 'a', servername: 'b' }], ['"getSocket" is called "socket" here', { host: 'a', getSocket: () => undefined }], ['"customAuth" is a mechanism of your own', { host: 'a', customAuth: {} }], ['"timeouts.operation"', { host: 'a', timeout: 1 }], ['"family" is up to "lookup" here', { host: 'a', family: 4 }], ['"tls.minVersion" is part of "tls.versions"', { host: 'a', tls: { minVersion: 'TLSv1.2' } }], ['"auth.accessToken" is called "auth.token"', { host: 'a', auth: { user: 'ann', accessToken: 'hunter2' } }], ['"auth.provisionCallback" is called "auth.token" here', { host: 'a', auth: { user: 'ann', provisionCallback: () => undefined } }], ['"auth.privateKey" has no counterpart', { host: 'a', auth: { user: 'ann', privateKey: 'hunter2' } }], ['"auth.passwordFile" is for fromJson() alone', { host: 'a', auth: { user: 'ann', passwordFile: '/hunter2' } }], ['"auth.refreshToken" has no counterpart', { host: 'a', auth: { user: 'ann', refreshToken: 'hunter2' } }], ['"user" stands in "auth"', { host: 'a', user: 'ann' }], ['Did you mean "security"', { host: 'a', securty: 'tls' }], ['Did you mean "tls.versions"', { host: 'a', tls: { version: [] } }],
  ['Did you mean "timeouts.greeting"', { host: 'a', timeouts: { greet: 1 } }], ['"__proto__"', JSON.parse('{"host":"a","__proto__":{"tls":{}}}')],
  ['"tls.__proto__"', JSON.parse('{"host":"a","tls":{"__proto__":{"rejectUnauthorized":false}}}')], ['"constructor"', { host: 'a', constructor: {} }],
  ['The options must be an object, and not undefined.', undefined], ['The options must be an object, and no instance of URL: give its "href".', new URL('smtp://a')], ['or a URL, and no instance of URL: give its "href"', { host: 'a', proxy: new URL('http://proxy.example') }], ['options', null], ['options', []], ['options', 5],
  ['port', { host: 'a', port: 0 }], ['port', { host: 'a', port: '25' }], ['port', { host: 'a', port: 65_536 }],
  ['security', { host: 'a', security: 'ssl' }], ['security', { host: 'a', security: [] }], ['security[0]', { host: 'a', security: ['auto'] }], ['security', { host: 'a', security: ['none', 'none'] }],
  ['auth.user', { host: 'a', auth: { user: '', pass: 'x' } }], ['auth.pass', { host: 'a', auth: { user: 'x', pass: '' } }], ['auth.pass', { host: 'a', auth: { user: 'x' } }],
  ['auth.pass', { host: 'a', auth: { user: 'x', pass: 'hunter2\r\n' } }], ['auth.pass', { host: 'a', auth: { user: 'x', pass: ['hunter2'] } }], ['auth.token', { host: 'a', auth: { user: 'x', token: 'hunter2\x01' } }], ['auth.token', { host: 'a', auth: { user: 'x', token: '' } }], ['auth.token', { host: 'a', auth: { user: 'x', token: ['hunter2'] } }],
  ['auth.user', { host: 'a', auth: { token: 'hunter2' } }], ['auth.user', { host: 'a', auth: { user: 'x\x01', token: 'hunter2' } }], ['"auth.pass" and "auth.token"', { host: 'a', auth: { user: 'x', pass: 'hunter2', token: 'hunter2' } }],
  ['auth.external', { host: 'a', auth: { external: false } }], ['auth.external', { host: 'a', auth: { external: true, user: 'x' } }], ['auth.authzid', { host: 'a', auth: { external: true, authzid: 'x\r\n' } }], ['auth.authzid', { host: 'a', auth: { user: 'x', pass: 'hunter2', authzid: 'y' } }],
  ['auth.pass', { host: 'a', auth: { user: 'x', pass: 'hunter2\ud800' } }], ['auth.name', { host: 'a', auth: { name: 'X\r\nY', start: () => undefined, next: () => undefined } }], ['"auth"', { host: 'a', auth: 'hunter2' }],
  ['allowedAuthentication', { host: 'a', allowedAuthentication: [] }], ['allowedAuthentication[0]', { host: 'a', allowedAuthentication: ['A B'] }],
  ['Did you mean "SCRAM-SHA-256"', { host: 'a', auth: { user: 'x', pass: 'hunter2' }, allowedAuthentication: ['SCRAM-SHA256'] }], ['It takes: EXTERNAL', { host: 'a', auth: { external: true }, allowedAuthentication: ['PLAIN'] }],
  ['allowInsecureAuth', { host: 'a', allowInsecureAuth: 'false' }], ['clientName', { host: 'a', clientName: 'a\r\nb' }],
  ...[0, -1, NaN, '5', null, Infinity].map((greeting) => ['timeouts.greeting', { host: 'a', timeouts: { greeting } }] as [string, unknown]),
  ...[0, -1, NaN, '5', null].map((command) => ['timeouts.command', { host: 'a', timeouts: { command } }] as [string, unknown]),
  ['tls', { host: 'a', tls: true }], ['tls.rejectUnauthorized', { host: 'a', tls: { rejectUnauthorized: 0 } }], ['tls.versions[0]', { host: 'a', tls: { versions: ['SSLv3'] } }], ['tls.versions', { host: 'a', tls: { versions: [] } }],
  ['tls.ciphers', { host: 'a', tls: { ciphers: 'HIGH:eNULL' } }], ['tls.ciphers', { host: 'a', tls: { ciphers: 'EXPORT40' } }], ['tls.ciphers', { host: 'a', tls: { ciphers: 'HIGH:+NULL-MD5' } }],
  ['tls.passphrase', { host: 'a', tls: { passphrase: 5 } }], ['tls.ca', { host: 'a', tls: { ca: [] } }], ['tls.key', { host: 'a', tls: { key: {} } }], ['tls.servername', { host: 'a', tls: { servername: 'a b' } }],
  ['"lmtp" is not supported yet', { host: 'a', lmtp: true }], ['"lmtp" must be true or false', { host: 'a', lmtp: 'no' }],
  ['localEndpoint', { host: 'a', localEndpoint: 'eth0' }], ['"localEndpoint.port" must be a port, 0 to 65535', { host: 'a', localEndpoint: { port: '5' } }], ['localEndpoint.port', { host: 'a', localEndpoint: { port: -1 } }], ['lookup', { host: 'a', lookup: {} }],
  ...[0, -1, NaN, '300', Infinity].map((stagger) => ['"stagger"', { host: 'a', stagger }] as [string, unknown]),
  ['pool', { host: 'a', pool: true }], ['pool.maxConnections', { host: 'a', pool: { maxConnections: 0 } }], ['pool.rate.per', { host: 'a', pool: { rate: { messages: 1, per: 0 } } }], ['pool.rate.messages', { host: 'a', pool: { rate: { messages: 0, per: 1 } } }], ['pool.idleTimeout', { host: 'a', pool: { idleTimeout: 0 } }],
  ['pipelining.depth', { host: 'a', pipelining: { depth: 0.5 } }], ['pipelining', { host: 'a', pipelining: 'yes' }], ['defaults.from', { host: 'a', defaults: { from: 5 } }],
])('refuses %s of %j', (name, options) => {
  expect(() => settings(options as SmtpOptions)).toThrow(SmtpUsageError);
  try { settings(options as SmtpOptions); } catch (error) {
    expect((error as Error).message).toContain(name);
    expect(inspect(error)).not.toContain('hunter2');
  }
});

test('secrets do not print', () => {
  const checked = of({ auth: { user: 'ann', pass: 'hunter2' }, tls: { pfx: fixture('client.pfx'), passphrase: 'sesame' } });
  expect(inspect(checked, { depth: 9, showHidden: true }) + JSON.stringify(checked)).not.toMatch(/hunter2|sesame/);
  expect(checked.credentials).toMatchObject({ kind: 'password', user: 'ann' });
  const token = of({ auth: { user: 'ann', token: 'hunter2' } });
  expect(inspect(token, { depth: 9, showHidden: true }) + JSON.stringify(token)).not.toContain('hunter2');
  expect(token.credentials).toMatchObject({ kind: 'token', user: 'ann' });
  expect(of({ auth: { external: true } }).credentials).toEqual({ kind: 'external', authzid: '' });
});

test('a mechanism of one\'s own is taken as it is', () => {
  class Own { readonly name = 'X'; readonly done = false; start(): undefined { return undefined; } next(): Uint8Array { return new Uint8Array(); } }
  const mechanism = new Own();
  expect(of({ auth: mechanism }).credentials).toEqual({ kind: 'mechanism', mechanism });
});

const polluted = Object.prototype as unknown as Record<string, unknown>;
const names = ['rejectUnauthorized', 'tls', 'auth', 'security', 'ciphers', 'allowInsecureAuth', 'greeting', 'pool', 'maxConnections'];
afterEach(() => { for (const name of names) Reflect.deleteProperty(polluted, name); });

test('a polluted prototype changes nothing', () => {
  const before = JSON.stringify(of({ tls: {}, pool: {} }));
  for (const name of names) polluted[name] = name === 'auth' ? { user: 'x', pass: 'y' } : false;
  expect(JSON.stringify(of({ tls: {}, pool: {} }))).toBe(before);
  expect(JSON.stringify(of({}))).toBe(before);
});

test.each([':'.repeat(50_000) + 'x', Array.from({ length: 50_000 }, (_, index) => String.fromCharCode(0x4e00 + index % 20_000)).join('')])('a host that is far too long is refused at once', async (host) => {
  await takesNoTime(() => {
    expect(() => settings({ host })).toThrow('"host"');
    expect(() => of({ localEndpoint: host })).toThrow('"localEndpoint"');
  });
});

test('options that throw are wrong options', () => {
  expect(() => settings({ host: 'a', get tls(): never { throw new TypeError('boom'); } })).toThrow(expect.objectContaining({ code: 'E_USAGE', cause: new TypeError('boom'), message: 'The options cannot be read: one of them throws: boom.' }) as Error);
});
