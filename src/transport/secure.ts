import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Observable } from 'rxjs';
import type { TlsVersion } from '../protocol/connection-plan.js';
import type { Phase } from '../protocol/error.js';
import { SocketStream, type ByteStream, type TlsFacts } from './byte-stream.js';
import type { TlsSettings } from './settings.js';
import { tlsError } from './tls-error.js';

const VERSIONS: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

// OpenSSL takes a lowest and a highest version; what is missing in between is switched off one by one.
const SWITCHED_OFF: Readonly<Record<TlsVersion, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/**
 * TLS on top of a stream, for both doors: always `tls.connect`, always verified against the host that was asked for.
 * Emits the secured stream once and completes: whoever took it owns it. Unsubscribing before that closes both.
 */
export const secure = (stream: ByteStream, host: string, settings: TlsSettings, phase: Phase): Observable<ByteStream> =>
  new Observable((subscriber) => {
    if (!(stream instanceof SocketStream)) throw new TypeError('TLS needs a socket.');
    let handedOver = false;
    const { remote, local, via } = stream;
    const socket = connectTls({ ...connectionOptions(host, settings), socket: stream.socket });
    socket.once('secureConnect', () => {
      handedOver = true;
      subscriber.next(new SocketStream(socket, { remote, local, ...(via === undefined ? {} : { via }), tls: facts(socket) }));
      subscriber.complete();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => { subscriber.error(tlsError(error, phase, host, remote)); });
    return () => { if (!handedOver) socket.destroy(); };
  });

/** Every security field is spelled out, so that neither the environment nor a polluted prototype can fill one in. */
const connectionOptions = (host: string, settings: TlsSettings): ConnectionOptions => {
  const listed = VERSIONS.filter((version) => settings.versions.includes(version));
  const lowest = listed[0] ?? 'TLSv1.2';
  const highest = listed.at(-1) ?? 'TLSv1.3';
  const gaps = VERSIONS.filter((version) => version > lowest && version < highest && !listed.includes(version));
  const legacy = lowest === 'TLSv1' || lowest === 'TLSv1.1';
  return {
    host,
    // RFC 6066 section 3: an address is no server name; the certificate is then checked against its IP entries.
    servername: settings.servername ?? (isIP(host) === 0 ? host : ''),
    rejectUnauthorized: settings.rejectUnauthorized,
    minVersion: lowest,
    maxVersion: highest,
    secureOptions: gaps.reduce((options, version) => options | SWITCHED_OFF[version], 0),
    ca: settings.ca,
    cert: settings.cert,
    key: settings.key,
    pfx: settings.pfx,
    passphrase: settings.passphrase?.reveal(),
    // TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL 3 allows at its lowest level only.
    ciphers: settings.ciphers ?? (legacy ? 'DEFAULT@SECLEVEL=0' : undefined),
  } as ConnectionOptions;
};

const facts = (socket: TLSSocket): TlsFacts => {
  const certificate = socket.getPeerCertificate();
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    certificate: {
      subject: commonName(certificate.subject),
      issuer: commonName(certificate.issuer),
      altNames: certificate.subjectaltname?.split(', ') ?? [],
      validFrom: certificate.valid_from,
      validTo: certificate.valid_to,
      fingerprint256: certificate.fingerprint256,
    },
  };
};

const commonName = (name: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined): string => [name?.CN ?? name?.O ?? ''].flat().join(', ');
