import { X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import nodeTls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SmtpClient, type SmtpOptions, type TlsVersion } from '../../src/index.js';
import { expiredCertificate, localhostCertificate, otherCertificate, testAuthority } from '../../src/testing/index.js';
import { collect, eventOf, type Told } from '../support/collect.js';
import { certificateOf, fixture, tlsServer, type Answer, type Door, type TlsServer } from '../support/tls-server.js';

const DOORS: readonly Door[] = ['implicit', 'starttls'];
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies readonly TlsVersion[];
const CA = fixture('authority.pem');
const CLIENT = certificateOf('client');
/** What an error about the client's certificate names. */
const KEYS = ['tls.cert', 'tls.key'];

type TlsOptions = NonNullable<SmtpOptions['tls']>;

const visit = async (server: TlsServer, door: Door, tls: TlsOptions, more: Partial<SmtpOptions> = {}): Promise<Told> => {
  await using client = new SmtpClient({ host: 'localhost', port: server.port, security: door, tls: { ca: [testAuthority, CA], ...tls }, timeouts: { greeting: 5000 }, ...more });
  return await collect(client.verify());
};

/** Only this version, as a server. */
const only = (version: TlsVersion): Answer => ({ ...localhostCertificate, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });

/** Each reason, what brings it about, and what the error has to say. */
type Row = readonly [reason: string, title: string, answer: Answer, tls: TlsOptions, says: readonly string[]];

const E_TLS: readonly Row[] = [
  ['plaintext-peer', 'clear text where TLS is due', (socket) => socket.once('data', () => socket.write('220 ready\r\n')), {}, ['does not speak TLS', 'STARTTLS', '465']],
  ['version', 'a server of TLS 1.1', only('TLSv1.1'), {}, ['Offered: TLSv1.2, TLSv1.3', 'tls.versions']],
  ['version', 'a server of TLS 1.2, a client of 1.3', only('TLSv1.2'), { versions: ['TLSv1.3'] }, ['Offered: TLSv1.3.']],
  ['version', 'a server in a gap of the list', only('TLSv1.2'), { versions: ['TLSv1.1', 'TLSv1.3'] }, ['chose TLSv1.2', 'Offered: TLSv1.1, TLSv1.3']],
  ['cipher', 'no common cipher in TLS 1.2', { ...localhostCertificate, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, ['tls.ciphers']],
  ['cipher', 'no common cipher in TLS 1.3', { ...localhostCertificate, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }, { ciphers: 'TLS_AES_256_GCM_SHA384' }, ['tls.ciphers']],
  ['cipher', 'a server that does not encrypt, where a group of ciphers is asked for', { ...localhostCertificate, maxVersion: 'TLSv1.2', ciphers: 'eNULL:@SECLEVEL=0' }, { versions: ['TLSv1', 'TLSv1.2'], ciphers: 'aRSA:aECDSA' }, ['tls.ciphers']],
  ['client-certificate', 'none where TLS 1.2 wants one', { ...localhostCertificate, requestCert: true, maxVersion: 'TLSv1.2' }, {}, KEYS],
  ['client-certificate', 'none where TLS 1.3 wants one', { ...localhostCertificate, requestCert: true, minVersion: 'TLSv1.3' }, {}, KEYS],
  ['client-certificate', 'one that the server does not know', alert(48), {}, KEYS],
  ['host-name', 'a name that the server does not know', alert(112), { servername: 'mail.example.com' }, ['Asked for: mail.example.com.', 'tls.servername']],
  ['reset', 'a server that hangs up', (socket) => socket.once('data', () => socket.resetAndDestroy()), {}, ['hung up']],
  ['handshake', 'a server that breaks down', alert(80), {}, ['ALERT_INTERNAL_ERROR', 'Its log may say why']],
  ['handshake', 'a server without secure renegotiation', says([22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3, ...Array<number>(32).fill(9), 0, 0xc0, 0x2f, 0]), {}, ['RFC 5746', 'newer software']],
  // From here on: what OpenSSL has the same words for as for clear text, though TLS was met.
  ['handshake', 'clear text behind a ServerHello of TLS 1.2', helloAnd('220 ready\r\n'), {}, ['WRONG_VERSION_NUMBER']],
  ['handshake', 'the same where TLS 1.2 is all that is offered', helloAnd('220 ready\r\n'), { versions: ['TLSv1.2'] }, ['WRONG_VERSION_NUMBER']],
  ['handshake', 'clear text behind a ServerHello of TLS 1.3', helloAnd('220 ready\r\n', 'TLSv1.3'), {}, ['ERR_SSL_']],
  ['handshake', 'an alert behind it that is not encrypted', helloAnd(Buffer.from([21, 3, 3, 0, 2, 2, 80]), 'TLSv1.3'), {}, ['BAD_RECORD_TYPE']],
  ['handshake', 'a handshake that begins with a certificate', says([22, 3, 3, 0, 7, 11, 0, 0, 3, 0, 0, 0]), {}, ['UNEXPECTED_MESSAGE']],
  ['handshake', 'a handshake that begins with data', says([23, 3, 3, 0, 5, 1, 2, 3, 4, 5]), {}, ['UNEXPECTED_MESSAGE']],
  ['handshake', 'a handshake that begins with a change of ciphers', says([20, 3, 3, 0, 1, 1]), {}, ['UNEXPECTED_MESSAGE']],
];

const E_CERTIFICATE: readonly Row[] = [
  ['untrusted', 'signed by a stranger', certificateOf('stranger'), {}, ['It is for DNS:localhost, issued by stranger', 'tls.ca']],
  ['untrusted', 'signed by none of the given roots', localhostCertificate, { ca: CA }, ['tls.ca']],
  ['expired', 'past its time', expiredCertificate, {}, ['valid from Jan  1 00:00:00 2020 GMT to Feb  1 00:00:00 2020 GMT']],
  ['not-yet-valid', 'before its time', certificateOf('not-yet-valid'), {}, ['clocks']],
  ['host-name', 'for another name', otherCertificate, {}, ['not for localhost', 'It is for DNS:other.example', 'tls.servername']],
  ['host-name', 'for another than "tls.servername"', localhostCertificate, { servername: 'mail.example.com' }, ['not for mail.example.com']],
  ['revoked', 'taken back', certificateOf('revoked'), { crl: fixture('revocations.pem') }, ['tls.crl']],
  ['legacy-signature', 'with a key that is too small', { ...certificateOf('weak'), ciphers: 'DEFAULT@SECLEVEL=0' }, { ca: fixture('weak.pem'), ciphers: 'DEFAULT@SECLEVEL=2' }, ['too weak', '@SECLEVEL']],
  ['invalid', 'made for clients', certificateOf('client'), {}, ['(INVALID_PURPOSE)', 'not made for servers']],
  ['invalid', 'with an extension that OpenSSL does not know', certificateOf('unknown-extension'), { ca: fixture('unknown-extension.pem') }, ['unhandled critical extension', 'needs another one']],
  ['pin', 'with another fingerprint', localhostCertificate, { fingerprints: ['0'.repeat(64)] }, ['tls.fingerprints', 'SHA-256 is ']],
  ['pin', 'with another fingerprint, unverified', certificateOf('stranger'), { rejectUnauthorized: false, fingerprints: ['0'.repeat(64)] }, ['tls.fingerprints']],
];

/** A fatal alert (RFC 8446 section 6) in answer to the ClientHello. */
function alert(description: number): Answer {
  return says([21, 3, 3, 0, 2, 2, description]);
}

/** These bytes in answer to the ClientHello. */
function says(bytes: readonly number[]): Answer {
  return (socket) => socket.once('data', () => socket.write(Buffer.from(bytes)));
}

/** A whole ServerHello (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3), and then something else. */
function helloAnd(rest: string | Buffer, version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2'): Answer {
  const random = Array<number>(32).fill(9);
  return (socket) => socket.once('data', (clientHello: Buffer) => {
    const parts = version === 'TLSv1.2'
      ? [3, 3, ...random, 0, 0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0]
      // The client's session id; TLS_AES_128_GCM_SHA256; supported_versions, and a key share of X25519.
      : [3, 3, ...random, ...clientHello.subarray(43, 76), 0x13, 1, 0, 0, 46, 0, 43, 0, 2, 3, 4, 0, 51, 0, 36, 0, 29, 0, 32, ...random];
    socket.write(Buffer.from([22, 3, 3, 0, parts.length + 4, 2, 0, 0, parts.length, ...parts]));
    socket.write(rest);
  });
}

describe.each(DOORS)('over %s', (door) => {
  describe.each([['E_TLS', E_TLS], ['E_CERTIFICATE', E_CERTIFICATE]] as const)('%s', (code, rows) => {
    it.each(rows)('%s: %s', async (reason, _title, answer, tls, says) => {
      await using server = await tlsServer(door, answer);
      const { error, types } = await visit(server, door, tls);
      expect(error).toMatchObject({ code, reason, phase: 'tls', outcome: 'not-sent', retryable: reason === 'reset' });
      for (const text of says) expect(error?.message).toContain(text);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('BEGIN ');
      expect(types).not.toContain('ready');
    });
  });

  describe.each(VERSIONS)('a server of %s', (version) => {
    const lists = Array.from({ length: 15 }, (_, index) => VERSIONS.filter((_version, bit) => ((index + 1) >> bit) & 1));
    it.each(lists.map((list) => [list.join(', '), list] as const))('and a client of %s', async (_title, versions) => {
      await using server = await tlsServer(door, only(version));
      const told = await visit(server, door, { versions });
      const listed = versions.includes(version);
      expect(told.types.at(-1) === 'ready').toBe(listed);
      expect(server.secured.map(({ protocol }) => protocol)).toEqual(listed ? [version] : []);
      if (listed) expect(eventOf(told, 'secured').protocol).toBe(version);
      else expect(told.error).toMatchObject({ code: 'E_TLS', reason: 'version' });
    });
  });

  it.each<[string, TlsOptions]>([
    ['PEM', { cert: CLIENT.cert, key: CLIENT.key }],
    ['PEM text, its key encrypted', { cert: CLIENT.cert.toString(), key: fixture('client-encrypted.key').toString(), passphrase: 'sesame' }],
    ['PKCS #12', { pfx: fixture('client.pfx'), passphrase: 'sesame' }],
  ])('shows the client certificate: %s', async (_title, tls) => {
    await using server = await tlsServer(door, { ...localhostCertificate, ca: CA, requestCert: true });
    expect((await visit(server, door, tls)).types.at(-1)).toBe('ready');
    expect(server.secured).toMatchObject([{ client: 'ann' }]);
  });

  it.each([['perhaps over our certificate', CLIENT, true], ['and was shown none', {}, false]])('tells of a server that hangs up in the middle, %s', async (_title, tls, perhaps) => {
    // A record that is longer than what comes of it.
    await using server = await tlsServer(door, (socket) => socket.once('data', () => socket.end(Buffer.from([22, 3, 3, 0, 80, 2]))));
    const { error } = await visit(server, door, tls);
    expect(error).toMatchObject({ code: 'E_TLS', reason: 'interrupted', retryable: true });
    expect(error?.message.includes('not accept our certificate: see "tls.cert", or "tls.pfx".')).toBe(perhaps);
  });

  it('takes a pinned certificate, written either way', async () => {
    const pin = fingerprint(localhostCertificate.cert);
    await using server = await tlsServer(door, localhostCertificate);
    for (const fingerprints of [[pin], ['0'.repeat(64), pin.replaceAll(':', '').toLowerCase()]])
      expect((await visit(server, door, { fingerprints })).types.at(-1)).toBe('ready');
  });

  it('lets fingerprints alone decide where nothing else is verified', async () => {
    await using server = await tlsServer(door, certificateOf('stranger'));
    const told = await visit(server, door, { rejectUnauthorized: false, fingerprints: [fingerprint(fixture('stranger.pem'))] });
    expect(told.types.at(-1)).toBe('ready');
    expect(eventOf(told, 'warning')).toMatchObject({ code: 'W_UNVERIFIED', message: expect.stringContaining('only its fingerprint') as string });
  });

  it('shows a name that holds controls, and lets none of them through', async () => {
    await using server = await tlsServer(door, certificateOf('control'));
    expect(eventOf(await visit(server, door, { rejectUnauthorized: false }), 'secured').certificate).toMatchObject({ subject: 'local\\u{1b}[2Jhost', issuer: 'local\\u{1b}[2Jhost', altNames: ['DNS:localhost', 'othername:SmtpUTF8Mailbox:ann\\u{202e}@localhost'] });
  });

  it('verifies each handshake anew, on no session of an earlier one', async () => {
    let certificate = localhostCertificate;
    await using server = await tlsServer(door, () => certificate);
    await using client = new SmtpClient({ host: 'localhost', port: server.port, security: door, tls: { ca: testAuthority }, pool: false });
    expect((await collect(client.verify())).types.at(-1)).toBe('ready');
    expect((await collect(client.verify())).types.at(-1)).toBe('ready');
    expect(server.secured.map(({ resumed }) => resumed)).toEqual([false, false]);
    certificate = otherCertificate;
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'host-name' });
  });
});

describe('whose name is verified', () => {
  const here: NonNullable<SmtpOptions['lookup']> = (_host, _options, found) => { found(null, [{ address: '127.0.0.1', family: 4 }]); };

  it.each<[host: string, servername: string | undefined, certificate: Answer, asked: string | null, accepted: boolean]>([
    ['localhost', undefined, localhostCertificate, 'localhost', true],
    ['LOCALHOST.', undefined, localhostCertificate, 'localhost', true],
    ['127.0.0.1', undefined, localhostCertificate, null, true],
    ['127.0.0.1', undefined, certificateOf('no-address'), null, false],
    ['127.0.0.1', undefined, certificateOf('common-name'), null, false],
    ['127.0.0.1', 'localhost', certificateOf('no-address'), 'localhost', true],
    ['localhost', '127.0.0.1', localhostCertificate, null, true],
    ['localhost', undefined, certificateOf('common-name'), 'localhost', true],
    ['mail.example.test', undefined, certificateOf('wildcard'), 'mail.example.test', true],
    ['b\u00fccher.example.test', undefined, certificateOf('wildcard'), 'xn--bcher-kva.example.test', true],
    ['a.mail.example.test', undefined, certificateOf('wildcard'), 'a.mail.example.test', false],
    ['example.test', undefined, certificateOf('wildcard'), 'example.test', false],
    ['mail.example.com', 'mail.example.test', certificateOf('wildcard'), 'mail.example.test', true],
  ])('host %s, servername %s', async (host, servername, answer, asked, accepted) => {
    await using server = await tlsServer('implicit', answer);
    const { types, error } = await visit(server, 'implicit', servername === undefined ? {} : { servername }, { host, lookup: here });
    expect(types.at(-1) === 'ready').toBe(accepted);
    if (accepted) expect(server.secured).toMatchObject([{ servername: asked }]);
    else expect(error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'host-name' });
  });

  it('is each client\'s own where two share an address', async () => {
    await using server = await tlsServer('implicit', localhostCertificate);
    const names = ['localhost', 'mail.example.test', 'localhost', 'mail.example.test'];
    const told = await Promise.all(names.map((host) => visit(server, 'implicit', {}, { host, lookup: here })));
    expect(told.map(({ types }) => types.at(-1) === 'ready')).toEqual([true, false, true, false]);
  });

  it('is not a wildcard for a part of a label', async () => {
    await using server = await tlsServer('implicit', certificateOf('partial-wildcard'));
    const { error } = await visit(server, 'implicit', { ca: fixture('partial-wildcard.pem') }, { host: 'mail.example.test', lookup: here });
    expect(error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'host-name', message: expect.stringContaining('It is for DNS:m*.example.test') as string });
  });
});

describe('no setting from outside', () => {
  it('switches verification off: NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    onTestFinished(() => { if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED; else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before; });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    await using server = await tlsServer('implicit', certificateOf('stranger'));
    expect((await visit(server, 'implicit', {})).error).toMatchObject({ code: 'E_CERTIFICATE', reason: 'untrusted' });
  });

  it('lowers the floor: --tls-min-v1.0', async () => {
    const tls = nodeTls as { DEFAULT_MIN_VERSION: string };
    const before = tls.DEFAULT_MIN_VERSION;
    onTestFinished(() => { tls.DEFAULT_MIN_VERSION = before; });
    tls.DEFAULT_MIN_VERSION = 'TLSv1';
    await using server = await tlsServer('implicit', only('TLSv1.1'));
    expect((await visit(server, 'implicit', { ciphers: 'DEFAULT' })).error).toMatchObject({ code: 'E_TLS', reason: 'version' });
  });

  it('brings in an option by the prototype of all objects', async () => {
    const prototype = Object.prototype as { secureProtocol?: unknown };
    onTestFinished(() => { delete prototype.secureProtocol; });
    prototype.secureProtocol = 'TLSv1_1_method';
    await using server = await tlsServer('implicit', () => ({ ...localhostCertificate, secureProtocol: undefined }));
    expect(eventOf(await visit(server, 'implicit', {}), 'secured').protocol).toBe('TLSv1.3');
  });

  it('takes what stands in that prototype for a handshake', async () => {
    const prototype = Object.prototype as { tls?: unknown };
    onTestFinished(() => { delete prototype.tls; });
    await using server = await tlsServer('starttls', () => localhostCertificate);
    await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: testAuthority } });
    prototype.tls = { rejectUnauthorized: false };
    expect(eventOf(await collect(client.verify()), 'secured').protocol).toBe('TLSv1.3');
  });
});

function fingerprint(cert: string | Buffer): string {
  return new X509Certificate(cert).fingerprint256;
}
