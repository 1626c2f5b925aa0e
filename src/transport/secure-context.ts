import type { KeyObject, X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { bare } from '../protocol/bare.js';
import type { TlsVersion } from '../protocol/connection-plan.js';
import { crypto } from '../protocol/crypto.js';
import { reasonOf, SmtpUsageError } from '../protocol/error.js';
import type { Secret } from '../protocol/secret.js';
import { tls } from './builtins.js';
import type { KeyMaterial } from './settings.js';
import { DEFAULT_TLS_VERSIONS, needsLowestLevel, SUITES_OF_TLS_1_3 } from './tls-versions.js';

/** Whom to trust, who we are, and how to encrypt. */
interface TlsMaterial {
  readonly ca: KeyMaterial | readonly KeyMaterial[] | undefined;
  readonly crl: KeyMaterial | readonly KeyMaterial[] | undefined;
  readonly cert: KeyMaterial | undefined;
  readonly key: KeyMaterial | undefined;
  readonly pfx: KeyMaterial | undefined;
  readonly passphrase: Secret | undefined;
  readonly ciphers: string | undefined;
}

/** How such an option is called in errors: those of a proxy have longer names. */
type NameOf = (option: keyof TlsMaterial | 'versions') => string;

/**
 * What every handshake of a client shares: made once, because it costs about as much as a handshake does. Where nothing was
 * given that could be wrong, the first handshake makes it: who sends in clear text need not load TLS.
 * @throws SmtpUsageError naming the option that cannot be used. It never shows what a key or a passphrase is.
 */
export const secureContext = (versions: readonly TlsVersion[], material: TlsMaterial, name: NameOf): (() => SecureContext) => {
  let context: SecureContext | undefined;
  if (versions === DEFAULT_TLS_VERSIONS && Object.values(material).every((given) => given === undefined)) return () => (context ??= create(versions, material, name));
  const checked = create(versions, material, name);
  return () => checked;
};

/** OpenSSL takes a lowest and a highest version only; `secure` refuses what lies in gaps between. */
const create = (versions: readonly TlsVersion[], material: TlsMaterial, name: NameOf): SecureContext => {
  const { ca, cert, key, pfx, passphrase } = material;
  if (passphrase !== undefined && (key ?? pfx) === undefined) throw wrong(name('passphrase'), `opens nothing. Give "${name('key')}" or "${name('pfx')}", which it is for, or leave it out`);
  if (pfx !== undefined && (cert ?? key) !== undefined) throw wrong(name('pfx'), `holds certificate and key in one. Leave out "${name('cert')}" and "${name('key')}"`);
  if ((cert === undefined) !== (key === undefined)) throw wrong(name(cert === undefined ? 'cert' : 'key'), 'is missing: certificate and key go together');
  // OpenSSL itself takes any text for roots, finds none in it, and then trusts nobody.
  for (const authority of [ca ?? []].flat()) certificates(name('ca'), authority);
  if (cert !== undefined && key !== undefined && certificates(name('cert'), cert)[0]?.checkPrivateKey(privateKey(key, passphrase, name)) !== true)
    throw wrong(name('key'), `does not belong to the first certificate in "${name('cert')}"`);
  const fixed = { minVersion: versions[0], maxVersion: versions.at(-1) };
  const options = Object.entries({ ...material, ...fixed, ciphers: cipherList(versions, material.ciphers), passphrase: passphrase?.reveal() });
  try {
    // Nothing is inherited: a polluted prototype could bring other versions or signatures.
    return tls().createSecureContext(bare(Object.fromEntries(options)));
  } catch {
    // OpenSSL does not say which of them it means.
    const refusal = REFUSALS.find(({ option, complaint }) => material[option] !== undefined && complaint.test(complaintOf(options, option)));
    if (refusal !== undefined) throw wrong(name(refusal.option), refusal.what(name));
    throw wrong(name('versions'), `cannot be used with ${material.ciphers === undefined ? 'the ciphers of this process. See --tls-cipher-list, and the configuration of OpenSSL' : `"${name('ciphers')}"`}`);
  }
};

/** TLS 1.0 and 1.1 need the lowest level. There, OpenSSL counts what does not encrypt among groups such as RSA. */
const cipherList = (versions: readonly TlsVersion[], given: string | undefined): string | undefined => {
  const level = needsLowestLevel(versions) && given?.includes('@SECLEVEL') !== true ? ':@SECLEVEL=0' : '';
  if (given === undefined && level === '') return undefined;
  return SUITES_OF_TLS_1_3.test(given ?? '') ? given : `${given ?? 'DEFAULT'}${level}:!aNULL:!eNULL`;
};

const wrong = (name: string, what: string): SmtpUsageError => new SmtpUsageError({ message: `The option "${name}" ${what}.` });

const PEM = 'Give the PEM text itself, not the path of its file';

const certificates = (name: string, material: KeyMaterial): readonly X509Certificate[] => {
  const [, ...blocks] = Buffer.from(material as string).toString('latin1').split(/-----BEGIN (?=[A-Z0-9 ]*CERTIFICATE-----)/);
  if (blocks.length === 0) throw wrong(name, `holds no certificate. ${PEM}`);
  try {
    return blocks.map((block) => new (crypto().X509Certificate)(`-----BEGIN ${block}`));
  } catch {
    throw wrong(name, 'holds a certificate that cannot be read. It may have been cut off');
  }
};

const privateKey = (key: KeyMaterial, passphrase: Secret | undefined, name: NameOf): KeyObject => {
  try {
    return crypto().createPrivateKey({ key: Buffer.from(key as string), ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }) });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (/MISSING_PASSPHRASE|INTERRUPTED/.test(code)) throw wrong(name('passphrase'), `is missing: "${name('key')}" is encrypted`);
    throw code.includes('BAD_DECRYPT') ? wrong(name('passphrase'), `does not open "${name('key')}"`) : wrong(name('key'), `holds no private key that can be read. ${PEM}`);
  }
};

const WEAK = { complaint: /\btoo (?:weak|small)\b/, what: () => 'is weaker than OpenSSL allows here. Have a new one issued' };

/** What OpenSSL complains of where it is given that option alone, with the ciphers and their level, and what to say then. */
const REFUSALS = [
  { option: 'ciphers', complaint: /./, what: () => 'names no cipher that OpenSSL knows. See "openssl ciphers"' },
  { option: 'cert', ...WEAK },
  { option: 'pfx', ...WEAK },
  // RC2 and Triple DES, as Windows still writes them.
  { option: 'pfx', complaint: /^Unsupported PKCS12/, what: () => 'is encrypted in a way that is too old for OpenSSL. Export it anew, with AES' },
  { option: 'pfx', complaint: /^Unable to load/, what: () => 'holds no private key, or no certificate for it. Export the two together' },
  { option: 'pfx', complaint: /./, what: (name: NameOf) => `cannot be opened. Check "${name('passphrase')}", and give the bytes of the file, not its path` },
  { option: 'crl', complaint: /./, what: () => `holds no revocation list that can be read. ${PEM}` },
] as const;

const complaintOf = (options: readonly (readonly [string, unknown])[], one: string): string => {
  try {
    tls().createSecureContext(bare(Object.fromEntries(options.filter(([option]) => option === one || option === 'ciphers' || option === 'passphrase'))));
    return '';
  } catch (error) {
    return reasonOf(error);
  }
};
