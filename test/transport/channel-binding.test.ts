import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { localhostCertificate, testAuthority } from '../../src/testing/index.js';
import { channelBinding, signatureHash } from '../../src/transport/channel-binding.js';

/** Both ends of a connection. */
const connection = async (version: SecureVersion) => {
  const server = createServer({ ...localhostCertificate, minVersion: version, maxVersion: version });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'secureConnection');
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ca: testAuthority, servername: 'localhost' });
  await once(client, 'secureConnect');
  const [peer] = await accepted as [TLSSocket];
  return { client, peer, [Symbol.asyncDispose]: async () => { client.destroy(); peer.destroy(); server.close(); await once(server, 'close'); } };
};

describe('channelBinding', () => {
  it('is the same at both ends of TLS 1.3, and another on the next connection', async () => {
    await using one = await connection('TLSv1.3');
    await using another = await connection('TLSv1.3');
    const binding = channelBinding(one.client);
    expect(binding?.type).toBe('tls-exporter');
    expect(binding?.data).toEqual(one.peer.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
    expect(binding?.data).not.toEqual(channelBinding(another.client)?.data);
  });

  // As Deno.
  it('is none on TLS 1.3 where the runtime exports no keys', async () => {
    await using one = await connection('TLSv1.3');
    expect(channelBinding(new Proxy(one.client, { has: (_, name) => name !== 'exportKeyingMaterial' }))).toBeUndefined();
  });

  it('is the certificate on TLS 1.2', async () => {
    await using one = await connection('TLSv1.2');
    const { raw } = new X509Certificate(localhostCertificate.cert);
    expect(channelBinding(one.client)).toEqual({ type: 'tls-server-end-point', data: createHash('sha256').update(raw).digest() });
  });
});

describe('signatureHash', () => {
  const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
    const content = Buffer.concat(contents);
    const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
    return Buffer.concat([Buffer.from([tag, ...length]), content]);
  };
  const certificate = (oid: string): Buffer => der(0x30, der(0x30, Buffer.alloc(300)), der(0x30, der(6, Buffer.from(oid, 'hex')), der(5)), der(3, Buffer.alloc(64)));

  // RFC 5929 section 4.1.
  it.each([
    ['MD5 with RSA', '2a864886f70d010104', 'sha256'], ['SHA-1 with RSA', '2a864886f70d010105', 'sha256'], ['SHA-256 with RSA', '2a864886f70d01010b', 'sha256'], ['SHA-384 with RSA', '2a864886f70d01010c', 'sha384'],
    ['SHA-512 with ECDSA', '2a8648ce3d040304', 'sha512'], ['Ed25519, which has no hash', '2b6570', undefined], ['RSASSA-PSS, whose hash is a parameter', '2a864886f70d01010a', undefined],
  ])('of %s', (_, oid, hash) => {
    expect(signatureHash(certificate(oid))).toBe(hash);
  });

  it.each([Buffer.alloc(0), Buffer.from('30', 'hex'), Buffer.from('308400', 'hex'), Buffer.from('3003300130', 'hex'), Buffer.alloc(50, 0xff)])('finds none in %j', (garbage) => {
    expect(signatureHash(garbage)).toBeUndefined();
  });
});
