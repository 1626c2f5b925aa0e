import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { ProxyOptions } from '../../src/index.js';
import { localhostCertificate, otherCertificate, testAuthority } from '../../src/testing/index.js';
import { failureOf, way } from '../support/dialling.js';
import { GRANTED, startProxy, type FakeProxyOptions } from '../support/fake-proxy.js';

const HOST = 'mail.example.com';
const SECRETS = { user: 'proxy-user', pass: 'hunter2@:/?' };

const proxyAt = (port: number, more: Partial<ProxyOptions> = {}): ProxyOptions => ({ protocol: 'https', host: '127.0.0.1', port, ...more });

describe('a proxy over TLS', () => {
  const tls = { ca: testAuthority };

  test('is verified, and gets no certificate of ours', async () => {
    let certificate: object = {};
    await using proxy = await startProxy({ protocol: 'https', certificate: localhostCertificate, credentials: 'proxy-user:hunter2@:/?', answer: (client) => {
      certificate = (client as unknown as { getPeerCertificate(): object }).getPeerCertificate();
      client.write(Buffer.concat([GRANTED.https, Buffer.from('220 hi\r\n')]));
    } });
    const stream = await firstValueFrom(way(25, { host: HOST, proxy: proxyAt(proxy.port, { ...SECRETS, tls }), tls: { cert: otherCertificate.cert, key: otherCertificate.key } }));
    expect(String(await firstValueFrom(stream.bytes))).toBe('220 hi\r\n');
    expect(certificate).toEqual({});
    // That the way to the proxy is encrypted says nothing of the way behind it.
    expect(stream.tls).toBeUndefined();
    stream.destroy();
    await proxy.idle();
  });

  test.each<[string, Partial<ProxyOptions>, FakeProxyOptions['certificate'], string, string]>([
    ['an authority that nobody knows', {}, localhostCertificate, 'untrusted', 'Give its authority in "tls.ca"'],
    ['another name', { tls }, otherCertificate, 'host-name', 'It is for DNS:other.example'],
  ])('%s: no byte goes to it', async (_title, given, certificate, reason, said) => {
    await using proxy = await startProxy({ protocol: 'https', certificate: certificate!, instead: () => { throw new Error('spoken to'); } });
    // What the server may do, its proxy may not.
    const error = await failureOf(way(25, { host: HOST, proxy: proxyAt(proxy.port, { ...SECRETS, ...given }), tls: { rejectUnauthorized: false } }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason, retryable: false });
    for (const text of ['stage: TLS handshake', said, 'the option "tls" is the server\'s']) expect(error.message).toContain(text);
    expect(error.message).not.toContain('hunter2');
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('wants a certificate of ours: told alike in %s', async (version) => {
    await using proxy = await startProxy({ protocol: 'https', certificate: { ...localhostCertificate, rejectUnauthorized: true, minVersion: version, maxVersion: version } });
    const error = await failureOf(way(25, { host: HOST, proxy: proxyAt(proxy.port, { ...SECRETS, tls }) }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'client-certificate', retryable: false });
    for (const text of ['stage: TLS handshake', 'Give one that it knows in "tls.cert"', 'the option "tls" is the server\'s']) expect(error.message).toContain(text);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2');
  });

  test.each([['perhaps over our certificate', { cert: otherCertificate.cert, key: otherCertificate.key }, true], ['and was shown none', {}, false]])('hangs up without a word, %s', async (_title, given, perhaps) => {
    await using proxy = await startProxy({ protocol: 'https', certificate: localhostCertificate, instead: (client) => client.destroy() });
    const error = await failureOf(way(25, { host: HOST, proxy: proxyAt(proxy.port, { tls: { ...tls, ...given } }) }));
    expect(error).toMatchObject({ code: 'E_PROXY', reason: 'closed', retryable: true });
    expect(error.message.includes('not accept our certificate: see "tls.cert", or "tls.pfx". For a proxy')).toBe(perhaps);
  });

  test('falls out of TLS in the place of an answer: told by its code', async () => {
    await using proxy = await startProxy({ protocol: 'https', certificate: localhostCertificate, instead: (client) => (client as unknown as { _parent: Socket })._parent.write('HTTP/1.1 200 OK\r\n\r\n') });
    const error = await failureOf(way(25, { host: HOST, proxy: proxyAt(proxy.port, { tls }) }));
    expect(error).toMatchObject({ code: 'E_PROXY', reason: 'closed', retryable: true });
    expect(error.message).toContain('the connection was lost without an answer (ERR_SSL_');
  });

  test('waits for the request in clear text', async () => {
    await using proxy = await startProxy({ protocol: 'http' });
    expect(await failureOf(way(25, { host: HOST, proxy: proxyAt(proxy.port), timeouts: { proxy: 200 } }))).toMatchObject({ phase: 'proxy' });
  });

  test('is no TLS server', async () => {
    await using proxy = await startProxy({ protocol: 'http', instead: (client) => client.once('data', () => client.end('HTTP/1.1 400 Bad Request\r\n\r\n')) });
    const error = await failureOf(way(25, { host: HOST, proxy: proxyAt(proxy.port) }));
    expect(error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', reason: 'plaintext-peer' });
    expect(error.message).toContain('use http:// instead of https://');
    expect(error.message).not.toContain('starttls');
  });
});
