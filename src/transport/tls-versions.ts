import { Duplex } from 'node:stream';
import type { TlsVersion } from '../protocol/connection-plan.js';
import { crypto } from '../protocol/crypto.js';
import { SmtpUsageError } from '../protocol/error.js';
import { tls } from './builtins.js';

/** From the oldest to the newest. */
export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies readonly TlsVersion[];

/** RFC 8996 and RFC 8314 section 4.1: what is older must be asked for by name. */
export const DEFAULT_TLS_VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3'];

/** TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL 3 allows at its lowest level only. */
export const needsLowestLevel = (versions: readonly TlsVersion[]): boolean => versions.includes('TLSv1') || versions.includes('TLSv1.1');

/** A list of such suites alone: they have names of their own, and are no part of OpenSSL's list of ciphers. */
export const SUITES_OF_TLS_1_3 = /^:*(?:TLS_[^:]*(?::+|$))+$/;

/** The listed versions, sorted into what can be offered and what this runtime cannot do. */
interface UsableVersions {
  readonly offered: readonly TlsVersion[];
  readonly skipped: readonly TlsVersion[];
}

/**
 * @param name of the option that lists them.
 * @throws SmtpUsageError if nothing is left, or if anything is missing and `strict` forbids that.
 */
export const usableVersions = (listed: readonly TlsVersion[], strict: boolean, name: string, isAvailable = runtimeCanDo): UsableVersions => {
  const inOrder = TLS_VERSIONS.filter((version) => listed.includes(version));
  const skipped = inOrder.filter((version) => !isAvailable(version));
  const offered = inOrder.filter((version) => !skipped.includes(version));
  const lack = `The option "${name}" names ${skipped.join(', ')}, which this runtime cannot do`;
  if (offered.length === 0) throw new SmtpUsageError({ message: `${lack}, and nothing else. Add "TLSv1.2" or "TLSv1.3".` });
  if (strict && skipped.length > 0) throw new SmtpUsageError({ message: `${lack}. Take that out, or leave it to a warning with strictVersions: false.` });
  return { offered, skipped };
};

const SWITCHES = { TLSv1: 'SSL_OP_NO_TLSv1', 'TLSv1.1': 'SSL_OP_NO_TLSv1_1', 'TLSv1.2': 'SSL_OP_NO_TLSv1_2', 'TLSv1.3': 'SSL_OP_NO_TLSv1_3' } as const satisfies Record<TlsVersion, string>;

const answers = new Map<TlsVersion, boolean>();

/** Whether Node and its OpenSSL, as built and as set up, can do this version. Found out by trying, once per process. */
export const runtimeCanDo = (version: TlsVersion): boolean => {
  const known = answers.get(version);
  if (known !== undefined) return known;
  const answer = saysHello(version);
  answers.set(version, answer);
  return answer;
};

// RFC 8446 section 5.1: the first byte of a record that carries a handshake. An alert begins with another.
const HANDSHAKE_RECORD = 22;

// A handshake with nobody: a version that cannot be done yields an alert and no ClientHello. The other versions are switched off one
// by one, because Node ends the process over a lowest version that its OpenSSL was built without.
const saysHello = (version: TlsVersion): boolean => {
  let hello = false;
  const nobody = new Duplex({ read: () => undefined, write: (chunk: Buffer, _encoding, done) => { hello ||= chunk[0] === HANDSHAKE_RECORD; done(); } });
  try {
    const socket = tls().connect({
      socket: nobody, minVersion: 'TLSv1', maxVersion: 'TLSv1.3', ciphers: 'DEFAULT@SECLEVEL=0', ca: [],
      secureOptions: TLS_VERSIONS.filter((other) => other !== version).reduce((options, other) => options | crypto().constants[SWITCHES[other]], 0),
    });
    socket.on('error', () => { /* No hello is all that matters. */ });
    socket.destroy();
  } catch {
    return false;
  }
  return hello;
};
