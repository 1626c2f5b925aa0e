import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { Observable } from 'rxjs';
import { hostAndPort, type ConnectionPlan, type TlsVersion } from '../protocol/connection-plan.js';
import type { Phase } from '../protocol/error.js';
import type { CertificateSummary } from '../protocol/event.js';
import { printable } from '../protocol/printable.js';
import { tls } from './builtins.js';
import { SocketStream, type ByteStream, type TlsFacts } from './byte-stream.js';
import { channelBinding } from './channel-binding.js';
import type { Target } from './dial-context.js';
import { checkServerIdentity } from './server-identity.js';
import type { TlsSettings } from './settings.js';
import { certificateError, tlsError, unlistedVersion, unpinnedCertificate, type Handshake } from './tls-error.js';
import { TLS_VERSIONS } from './tls-versions.js';

/** A stream over TLS. */
type SecuredStream = SocketStream & { readonly tls: TlsFacts };

/**
 * TLS on top of a stream, for both doors: always `tls.connect`, always a whole handshake, always verified against the host
 * that was asked for. Emits the secured stream once and completes: whoever took it owns it. Unsubscribing before that
 * closes both.
 */
export const secure = (stream: ByteStream, { host, port, security = 'implicit' }: Target & Partial<ConnectionPlan>, settings: TlsSettings, phase: Phase): Observable<SecuredStream> =>
  new Observable((subscriber) => {
    if (!(stream instanceof SocketStream)) throw new TypeError('TLS needs a socket.');
    let handedOver = false;
    const { remote, local, via, socket: carrier } = stream;
    // The carrier where no handshake can begin: Node may have been started with ciphers that OpenSSL does not know.
    let begun: Duplex = carrier;
    subscriber.add(() => { if (!handedOver) begun.destroy(); });
    const { versions, skippedVersions, rejectUnauthorized, fingerprints, showsCertificate } = settings;
    const name = settings.servername ?? host;
    const peer = via === undefined ? `${host} (${hostAndPort({ host: remote.address, port: remote.port })})` : `${hostAndPort({ host, port })} via ${via}`;
    const handshake: Handshake = { phase, security, peer, name, versions, skippedVersions, showsCertificate };
    const readBefore = carrier.bytesRead ?? 0;
    let certificate: CertificateSummary | undefined;
    // RFC 6066 section 3: an address is no server name; the certificate is then checked against its IP entries.
    const servername = isIP(name) === 0 ? name : '';
    const socket = begun = tls().connect({ host: name, servername, socket: carrier, secureContext: settings.context(), rejectUnauthorized, checkServerIdentity });
    // Node has written the ClientHello by now.
    const hello = carrier.bytesWritten ?? 0;

    const bytesRead = (): number => (carrier.bytesRead ?? 0) - readBefore;
    const hasKeys = (): void => {
      const refused = unlistedVersion(socket.getProtocol() ?? '', handshake);
      if (refused !== undefined) subscriber.error(refused);
    };
    // OpenSSL has an answer, an alert at least, for all that begins as TLS does, and none for what never was TLS.
    const wentOn = (): boolean => (carrier.bytesWritten ?? 0) > hello;
    const failed = (error: NodeJS.ErrnoException): void => { subscriber.error(certificateError(error, handshake, certificate) ?? tlsError(error, handshake, bytesRead(), wentOn())); };
    const closed = (): void => { subscriber.error(tlsError(Object.assign(new Error('closed'), { code: 'ECONNRESET' }), handshake, bytesRead())); };
    // The first keys tell which version it is, before our side of the handshake is done.
    if (hasGaps(versions)) socket.on('keylog', hasKeys);
    // Ahead of Node's own verdict, which takes the certificate away with the socket.
    socket.prependOnceListener('secure', () => { if (!socket.destroyed) ({ certificate } = facts(socket)); });
    socket.once('secureConnect', () => {
      const tls = facts(socket);
      const refused = unlistedVersion(tls.protocol, handshake) ?? unpinnedCertificate(tls.certificate, fingerprints, handshake);
      if (refused !== undefined) { subscriber.error(refused); return; }
      handedOver = true;
      const secured = new SocketStream(socket, { remote, local, via, tls }) as SecuredStream;
      // What a socket holds can outlive it (docs/decisions/17-what-v8-keeps.md).
      socket.off('keylog', hasKeys).off('error', failed).off('close', closed);
      subscriber.next(secured);
      subscriber.complete();
    });
    socket.on('error', failed);
    // A carrier of the caller's may be destroyed without a word.
    socket.once('close', closed);
  });

/** OpenSSL takes a lowest and a highest version, and offers all between them. */
const hasGaps = (versions: readonly TlsVersion[]): boolean => {
  const places = versions.map((version) => TLS_VERSIONS.indexOf(version));
  return (places.at(-1) ?? 0) - (places[0] ?? 0) >= versions.length;
};

const facts = (socket: TLSSocket): TlsFacts => {
  const certificate = socket.getPeerCertificate();
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    binding: channelBinding(socket),
    certificate: {
      subject: commonName(certificate.subject),
      issuer: commonName(certificate.issuer),
      altNames: certificate.subjectaltname?.split(', ').map(printable) ?? [],
      validFrom: certificate.valid_from,
      validTo: certificate.valid_to,
      fingerprint256: certificate.fingerprint256,
    },
  };
};

const commonName = (name: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined): string => printable([name?.CN ?? name?.O ?? ''].flat().join(', '));
