import nodeTls from 'node:tls';
import { inspect } from 'node:util';
import { expect, test, vi } from 'vitest';
import { SmtpClient, SmtpUsageError, type SmtpOptions } from '../../src/index.js';
import { localhostCertificate } from '../../src/testing/index.js';
import { foreignBytes } from '../support/foreign.js';
import { certificateOf, fixture } from '../support/tls-server.js';
import { takesNoTime } from '../support/takes-no-time.js';

const { cert, key } = certificateOf('client');
const encrypted = fixture('client-encrypted.key');
const pfx = fixture('client.pfx');
const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

type TlsOptions = NonNullable<SmtpOptions['tls']>;

/** Where such options may stand. */
const PLACES: readonly (readonly [path: string, options: (tls: TlsOptions) => Partial<SmtpOptions>])[] = [
  ['tls', (tls) => ({ tls })],
  ['proxy.tls', (tls) => ({ proxy: { protocol: 'https', host: 'proxy.example.com', tls } })],
  ['proxy[1].tls', (tls) => ({ proxy: ['http://127.0.0.1', { protocol: 'https', host: 'proxy.example.com', tls }] })],
];

const clientOf = (tls: TlsOptions): SmtpClient => new SmtpClient({ host: 'mail.example.com', tls });

test.each<[string, TlsOptions]>([
  ['bytes', { cert: new Uint8Array(cert), key: new Uint8Array(key) }],
  ['bytes of another realm', { ca: foreignBytes(cert.toString()), key: foreignBytes(key.toString()), cert }],
  ['text', { cert: cert.toString(), key: key.toString() }],
  ['an encrypted key', { cert, key: encrypted, passphrase: 'sesame' }],
  ['PKCS #12', { pfx, passphrase: 'sesame' }],
  ['several roots, one of them a bundle', { ca: [`# roots\n${localhostCertificate.cert}\n${cert.toString()}`, fixture('authority.pem')] }],
  ['a revocation list', { ca: fixture('authority.pem'), crl: [fixture('revocations.pem')] }],
  ['ciphers with what they leave out', { ciphers: 'HIGH:!aNULL:!EXPORT:-RC4' }],
  ['suites of TLS 1.3 alone', { ciphers: 'TLS_AES_128_GCM_SHA256', versions: ['TLSv1.3'] }],
  ['suites with gaps between them', { ciphers: ':TLS_AES_128_GCM_SHA256::TLS_AES_256_GCM_SHA384:' }],
  ['ciphers for old versions', { ciphers: 'DEFAULT@SECLEVEL=0', versions: ['TLSv1'] }],
  ['a fingerprint', { fingerprints: ['ab'.repeat(32), 'AB:'.repeat(31) + 'CD'] }],
])('takes %s', (_title, tls) => { expect(() => clientOf(tls)).not.toThrow(); });

test.each<[string | undefined, TlsOptions]>([
  [undefined, { ca: localhostCertificate.cert }],
  ['aRSA:!aNULL:!eNULL', { ciphers: 'aRSA' }],
  ['DEFAULT:@SECLEVEL=0:!aNULL:!eNULL', { versions: ['TLSv1', 'TLSv1.2'] }],
  ['HIGH@SECLEVEL=0:!aNULL:!eNULL', { versions: ['TLSv1', 'TLSv1.2'], ciphers: 'HIGH@SECLEVEL=0' }],
  ['TLS_AES_128_GCM_SHA256', { ciphers: 'TLS_AES_128_GCM_SHA256' }],
  ['TLS_AES_128_GCM_SHA256', { ciphers: 'TLS_AES_128_GCM_SHA256', versions: ['TLSv1', 'TLSv1.3'] }],
])('OpenSSL is told %s', (list, options) => {
  const create = vi.spyOn(nodeTls, 'createSecureContext');
  clientOf(options);
  expect(create.mock.lastCall?.[0]?.ciphers).toBe(list);
});

test('TLS is not loaded before there is something to check', () => {
  const load = vi.spyOn(process, 'getBuiltinModule');
  clientOf({ servername: 'mx.example.com' });
  expect(load).not.toHaveBeenCalled();
  clientOf({ ciphers: 'HIGH' });
  expect(load).toHaveBeenCalledWith('node:tls');
});

test.each<[name: string, says: string, TlsOptions]>([
  ['ca', 'holds no certificate', { ca: '/etc/ssl/ca.pem' }],
  ['ca', 'cannot be read', { ca: [fixture('authority.pem'), broken] }],
  ['ca', 'cut off', { ca: cert.toString() + cert.toString().slice(0, 500) }],
  ['cert', 'holds no certificate', { cert: 'client.pem', key }],
  ['cert', 'cannot be read', { cert: broken, key }],
  ['cert', 'is missing', { key }],
  ['key', 'is missing', { cert }],
  ['key', 'holds no private key', { cert, key: 'client.key' }],
  ['key', 'holds no private key', { cert, key: cert }],
  ['key', 'does not belong', { cert, key: localhostCertificate.key }],
  ['key', 'does not belong', { cert, key: fixture('weak.key') }],
  ['passphrase', 'opens nothing', { passphrase: 'sesame', ca: fixture('authority.pem') }],
  ['passphrase', 'is missing', { cert, key: encrypted }],
  ['passphrase', 'does not open', { cert, key: encrypted, passphrase: 'open says me' }],
  ['pfx', 'cannot be opened', { pfx }],
  ['pfx', 'cannot be opened', { pfx, passphrase: 'open says me' }],
  ['pfx', 'cannot be opened', { pfx: 'client.pfx', passphrase: 'sesame' }],
  ['pfx', 'too old for OpenSSL. Export it anew, with AES', { pfx: fixture('client-legacy.pfx'), passphrase: 'sesame' }],
  ['pfx', 'cannot be opened', { pfx: fixture('client-legacy.pfx'), passphrase: 'open says me' }],
  ['pfx', 'no private key', { pfx: fixture('client-no-key.pfx'), passphrase: 'sesame' }],
  ['pfx', 'weaker than OpenSSL allows here', { pfx: fixture('weak.pfx'), passphrase: 'sesame', ciphers: 'DEFAULT@SECLEVEL=2' }],
  ['cert', 'weaker than OpenSSL allows here', { ...certificateOf('weak'), ciphers: 'DEFAULT@SECLEVEL=2' }],
  ['pfx', 'Leave out', { pfx, passphrase: 'sesame', cert, key }],
  ['crl', 'holds no revocation list', { crl: 'crl.pem' }],
  ['ciphers', 'no cipher that OpenSSL knows', { ciphers: 'ROT13' }],
  ['ciphers', 'names suites of TLS 1.3 alone, which', { ciphers: 'TLS_AES_128_GCM_SHA256', versions: ['TLSv1', 'TLSv1.2'] }],
  ['ciphers', 'names a version', { ciphers: 'SSLv3' }],
  ['ciphers', 'without encryption', { ciphers: 'HIGH:RC4-SHA' }],
  ['ciphers', 'only TLS 1.0 and 1.1 need', { ciphers: 'DEFAULT@SECLEVEL=0' }],
  ['minVersion', 'is part of', { minVersion: 'TLSv1.2' } as TlsOptions],
  ['fingerprints[0]', '64 hex digits', { fingerprints: ['ab'.repeat(20)] }],
  ['fingerprints', 'nothing twice', { fingerprints: ['ab'.repeat(32), 'AB'.repeat(32)] }],
  ['fingerprints', 'at least one', { fingerprints: [] }],
])('refuses tls.%s: %s', (name, says, tls) => {
  for (const [path, options] of PLACES) {
    let error: unknown;
    try { new SmtpClient({ host: 'mail.example.com', ...options(tls) }); } catch (thrown) { error = thrown; }
    expect(error).toBeInstanceOf(SmtpUsageError);
    const { message } = error as Error;
    expect(message).toContain(`The option "${path}.${name}" `);
    expect(message).toContain(says);
    // Others that it names stand there too.
    expect(message.match(/"[^"]*tls\.[^"]*"/g)?.filter((named) => !named.startsWith(`"${path}.`))).toEqual([]);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/open says me|sesame|BEGIN |MIG/);
  }
});

test.each<[string, TlsOptions]>([
  ['ca', { ca: '-----BEGIN CERTIFICATE-----'.repeat(10_000) }],
  ['ciphers', { ciphers: '+'.repeat(50_000) + 'x' }],
])('refuses a long tls.%s at once', async (name, tls) => {
  await takesNoTime(() => { expect(() => clientOf(tls)).toThrow(`"tls.${name}"`); });
});

test('a client shows neither key nor passphrase', () => {
  const shown = inspect(clientOf({ cert, key: encrypted, passphrase: 'sesame' }), { depth: 9, showHidden: true });
  expect(shown).not.toMatch(/sesame|BEGIN /);
});
