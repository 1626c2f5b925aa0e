import { isUint8Array } from 'node:util/types';
import { fields, nameOf, optional, usage } from '../message/fields.js';
import type { TlsVersion } from '../protocol/connection-plan.js';
import { Secret } from '../protocol/secret.js';
import { secureContext } from '../transport/secure-context.js';
import type { KeyMaterial, TlsSettings } from '../transport/settings.js';
import { DEFAULT_TLS_VERSIONS, needsLowestLevel, SUITES_OF_TLS_1_3, TLS_VERSIONS, usableVersions } from '../transport/tls-versions.js';
import { flag, list, oneOf, text } from './checks.js';
import { tlsElsewhere } from './elsewhere.js';
import { hostName } from './host.js';

/** What is negotiated, whom the client trusts, and who it is itself. */
export interface TlsOptions {
  /** Default `['TLSv1.2', 'TLSv1.3']`. No other version is ever negotiated. Those that this runtime does not support are left out with a warning. */
  readonly versions?: readonly TlsVersion[];
  /** If true, a version that this runtime does not support is an `SmtpUsageError`. Default false. */
  readonly strictVersions?: boolean;
  /** PEM. Replaces the default roots. Authorities inside a `pfx` are trusted beside them. */
  readonly ca?: KeyMaterial | readonly KeyMaterial[];
  /** PEM: certificate revocation lists. */
  readonly crl?: KeyMaterial | readonly KeyMaterial[];
  /**
   * SHA-256 fingerprints, in hex with or without colons: the server's certificate must be valid and also have one of
   * them. With `rejectUnauthorized: false` they alone decide.
   */
  readonly fingerprints?: readonly string[];
  /** PEM: the client's certificate chain. */
  readonly cert?: KeyMaterial;
  /** PEM: the client's private key. */
  readonly key?: KeyMaterial;
  /** PKCS #12: certificate and key in one. Authorities inside are trusted as roots, too: export it without them, or give `cert` and `key`. */
  readonly pfx?: KeyMaterial;
  /** For `key` or `pfx`. */
  readonly passphrase?: string;
  /** The name that the certificate must be for. Default: the host. */
  readonly servername?: string;
  /** `false` accepts any certificate, with a warning. Default true. */
  readonly rejectUnauthorized?: boolean;
  /** A cipher list in OpenSSL's form. Ciphers that do not encrypt or do not authenticate are refused. */
  readonly ciphers?: string;
}

const KNOWN = [
  'versions', 'strictVersions', 'ca', 'crl', 'fingerprints', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized', 'ciphers',
] as const satisfies readonly (keyof TlsOptions)[];

/** What is checked here is checked for good: after it, no handshake can fail over an option. */
export const checkTls = (value: unknown = {}, path = 'tls'): TlsSettings => {
  const name = (option: keyof TlsOptions): string => nameOf(path, option);
  const given = fields(value, { path, noun: 'option', known: KNOWN, refused: tlsElsewhere(name('versions')) });
  const listed = optional(list(oneOf(TLS_VERSIONS)))(given.versions, name('versions'));
  const strict = optional(flag)(given.strictVersions, name('strictVersions')) ?? false;
  const { offered, skipped } = listed === undefined ? { offered: DEFAULT_TLS_VERSIONS, skipped: [] } : usableVersions(listed, strict, name('versions'));
  return {
    versions: offered,
    skippedVersions: skipped,
    servername: optional(hostName)(given.servername, name('servername')),
    rejectUnauthorized: optional(flag)(given.rejectUnauthorized, name('rejectUnauthorized')) ?? true,
    fingerprints: optional(list(fingerprint))(given.fingerprints, name('fingerprints')),
    showsCertificate: (given.cert ?? given.pfx) !== undefined,
    context: secureContext(offered, {
      ca: keyMaterials(given.ca, name('ca')),
      crl: keyMaterials(given.crl, name('crl')),
      cert: optional(keyMaterial)(given.cert, name('cert')),
      key: optional(keyMaterial)(given.key, name('key')),
      pfx: optional(keyMaterial)(given.pfx, name('pfx')),
      passphrase: given.passphrase === undefined ? undefined : new Secret(text(given.passphrase, name('passphrase'))),
      ciphers: optional(cipherList(offered, name('versions')))(given.ciphers, name('ciphers')),
    }, name),
  };
};

const keyMaterial = (value: unknown, name: string): KeyMaterial => {
  if ((typeof value === 'string' || isUint8Array(value)) && value.length > 0) return value;
  throw usage(`The option "${name}" must be text or bytes, and not empty.`);
};

const keyMaterials = (value: unknown, name: string): KeyMaterial | readonly KeyMaterial[] | undefined =>
  Array.isArray(value) ? list(keyMaterial)(value, name) : optional(keyMaterial)(value, name);

/** In the form that Node gives them: pairs of capital hex digits between colons. */
const fingerprint = (value: unknown, name: string): string => {
  const hex = typeof value === 'string' ? value.replaceAll(':', '').toUpperCase() : '';
  if (/^[0-9A-F]{64}$/.test(hex)) return hex.replace(/..(?=.)/g, '$&:');
  throw usage(`The option "${name}" must be the SHA-256 of a certificate, 64 hex digits, as "openssl x509 -noout -fingerprint -sha256" shows it.`);
};

// OpenSSL: what is excluded with "!" or "-" may be named; the rest must encrypt, and with whom must be known.
const UNSAFE_CIPHERS = /(?:^|[:, ;+])(?![!-])[^:, ;+]*(?:NULL|EXP|ADH|AECDH|RC4|COMPLEMENTOFALL)/i;

const cipherList = (versions: readonly TlsVersion[], nameOfVersions: string) => (value: unknown, name: string): string => {
  const ciphers = text(value, name);
  if (UNSAFE_CIPHERS.test(ciphers)) throw usage(`The option "${name}" allows ciphers without encryption, without authentication, with export keys or with RC4. Take NULL, EXPORT, anonymous ciphers and RC4 out.`);
  if (/(?:^|[:, ;+])(?:SSL|TLS)v\d/i.test(ciphers)) throw usage(`The option "${name}" names a version, not ciphers. Versions have an option of their own: "${nameOfVersions}".`);
  if (ciphers.includes('@SECLEVEL=0') && !needsLowestLevel(versions)) throw usage(`The option "${name}" asks for the level that only TLS 1.0 and 1.1 need. Name them in "${nameOfVersions}", or take "@SECLEVEL=0" out.`);
  if (SUITES_OF_TLS_1_3.test(ciphers) && !versions.includes('TLSv1.3')) throw usage(`The option "${name}" names suites of TLS 1.3 alone, which "${nameOfVersions}" leaves out. Add "TLSv1.3" there, or ciphers of the other versions here.`);
  return ciphers;
};
