import type { TLSSocket } from 'node:tls';
import { crypto } from '../protocol/crypto.js';
import type { ChannelBinding } from '../sasl/channel-binding.js';

/** What a sign-in can be tied to on this connection; undefined where the certificate's signature has no hash for it, or the runtime exports no keys. */
export const channelBinding = (socket: TLSSocket): ChannelBinding | undefined => {
  // RFC 9266 section 4.2. Deno has no such method.
  if (socket.getProtocol() === 'TLSv1.3') return 'exportKeyingMaterial' in socket ? { type: 'tls-exporter', data: socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) } : undefined;
  const certificate = socket.getPeerCertificate().raw as Buffer | undefined;
  const hash = certificate === undefined ? undefined : signatureHash(certificate);
  return certificate === undefined || hash === undefined ? undefined : { type: 'tls-server-end-point', data: crypto().createHash(hash).update(certificate).digest() };
};

// RFC 5929 section 4.1: the hash of the certificate's own signature, and SHA-256 instead of MD5 and SHA-1.
const HASHES: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256', // sha256WithRSAEncryption
  '2a864886f70d01010c': 'sha384', // sha384WithRSAEncryption
  '2a864886f70d01010d': 'sha512', // sha512WithRSAEncryption
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040302': 'sha256', // ecdsa-with-SHA256
  '2a8648ce3d040303': 'sha384', // ecdsa-with-SHA384
  '2a8648ce3d040304': 'sha512', // ecdsa-with-SHA512
};

/** RFC 5280 section 4.1: a sequence of what is signed, the signature's algorithm, and the signature. */
export const signatureHash = (certificate: Buffer): (typeof HASHES)[string] | undefined => {
  const [signed, algorithm] = contents(contents(certificate)[0] ?? Buffer.alloc(0));
  const [identifier] = signed === undefined || algorithm === undefined ? [] : contents(algorithm);
  return identifier === undefined ? undefined : HASHES[identifier.toString('hex')];
};

/** The contents of the DER elements (X.690 section 8.1) that follow each other here. */
const contents = (bytes: Buffer): readonly Buffer[] => {
  const found: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = bytes[at + 1] ?? 0;
    const more = first < 0x80 ? 0 : first & 0x7f;
    if (more > 4 || at + 2 + more > bytes.length) return found;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    found.push(bytes.subarray(at + 2 + more, at + 2 + more + length));
    at += 2 + more + length;
  }
  return found;
};
