import type { KeyObject, X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { bare } from '../protocol/bare.js';
import type { TlsVersion } from '../protocol/connection-plan.js';
import { crypto } from '../protocol/crypto.js';
import { SmtpUsageError } from '../protocol/error.js';
import type { Secret } from '../protocol/secret.js';
import { tls } from './builtins.js';
import type { KeyMaterial } from './settings.js';
import { DEFAULT_TLS_VERSIONS, needsLowestLevel } from './tls-versions.js';

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

/**
 * What every handshake of a client shares: made once, because it costs about as much as a handshake does. Where nothing was
 * given that could be wrong, the first handshake makes it: who sends in clear text need not load TLS.
 * @throws SmtpUsageError naming the option that cannot be used. It never shows what a key or a passphrase is.
 */
export const secureContext = (versions: readonly TlsVersion[], material: TlsMaterial): (() => SecureContext) => {
  let context: SecureContext | undefined;
  if (versions === DEFAULT_TLS_VERSIONS && Object.values(material).every((given) => given === undefined)) return () => (context ??= create(versions, material));
  const checked = create(versions, material);
  return () => checked;
};

/** OpenSSL takes a lowest and a highest version only; `secure` refuses what lies in gaps between. */
const create = (versions: readonly TlsVersion[], material: TlsMaterial): SecureContext => {
  const { ca, cert, key, pfx, passphrase } = material;
  if (passphrase !== undefined && (key ?? pfx) === undefined) throw wrong('passphrase', 'opens nothing. Give "tls.key" or "tls.pfx", which it is for, or leave it out');
  if (pfx !== undefined && (cert ?? key) !== undefined) throw wrong('pfx', 'holds certificate and key in one. Leave out "tls.cert" and "tls.key"');
  if ((cert === undefined) !== (key === undefined)) throw wrong(cert === undefined ? 'cert' : 'key', 'is missing: certificate and key go together');
  // OpenSSL itself takes any text for roots, finds none in it, and then trusts nobody.
  for (const authority of [ca ?? []].flat()) certificates('ca', authority);
  if (cert !== undefined && key !== undefined && certificates('cert', cert)[0]?.checkPrivateKey(privateKey(key, passphrase)) !== true)
    throw wrong('key', 'does not belong to the first certificate in "tls.cert"');
  const fixed = { minVersion: versions[0], maxVersion: versions.at(-1) };
  const options = Object.entries({ ...material, ...fixed, ciphers: cipherList(versions, material.ciphers), passphrase: passphrase?.reveal() });
  try {
    // Nothing is inherited: a polluted prototype could bring other versions or signatures.
    return tls().createSecureContext(bare(Object.fromEntries(options)));
  } catch {
    // OpenSSL does not say which of them it means.
    const refusal = REFUSALS.find(({ name }) => material[name] !== undefined && !isUsable(options, name));
    if (refusal !== undefined) throw wrong(refusal.name, refusal.what);
    throw wrong('versions', `cannot be used with ${material.ciphers === undefined ? 'the ciphers of this process. See --tls-cipher-list, and the configuration of OpenSSL' : '"tls.ciphers"'}`);
  }
};

const cipherList = (versions: readonly TlsVersion[], given: string | undefined): string | undefined =>
  !needsLowestLevel(versions) || given?.includes('@SECLEVEL') === true ? given : `${given ?? 'DEFAULT'}:@SECLEVEL=0`;

const wrong = (name: string, what: string): SmtpUsageError => new SmtpUsageError({ message: `The option "tls.${name}" ${what}.` });

const PEM = 'Give the PEM text itself, not the path of its file';

const certificates = (name: 'ca' | 'cert', material: KeyMaterial): readonly X509Certificate[] => {
  const [, ...blocks] = Buffer.from(material as string).toString('latin1').split(/-----BEGIN (?=[A-Z0-9 ]*CERTIFICATE-----)/);
  if (blocks.length === 0) throw wrong(name, `holds no certificate. ${PEM}`);
  try {
    return blocks.map((block) => new (crypto().X509Certificate)(`-----BEGIN ${block}`));
  } catch {
    throw wrong(name, 'holds a certificate that cannot be read. It may have been cut off');
  }
};

const privateKey = (key: KeyMaterial, passphrase: Secret | undefined): KeyObject => {
  try {
    return crypto().createPrivateKey({ key: Buffer.from(key as string), ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }) });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (/MISSING_PASSPHRASE|INTERRUPTED/.test(code)) throw wrong('passphrase', 'is missing: "tls.key" is encrypted');
    throw code.includes('BAD_DECRYPT') ? wrong('passphrase', 'does not open "tls.key"') : wrong('key', `holds no private key that can be read. ${PEM}`);
  }
};

const REFUSALS = [
  { name: 'pfx', what: 'cannot be opened. Check "tls.passphrase", and give the bytes of the file, not its path' },
  { name: 'crl', what: `holds no revocation list that can be read. ${PEM}` },
  { name: 'ciphers', what: 'names no cipher that OpenSSL knows. See "openssl ciphers"' },
] as const;

const isUsable = (options: readonly (readonly [string, unknown])[], name: string): boolean => {
  try {
    tls().createSecureContext(bare(Object.fromEntries(options.filter(([option]) => option === name || option === 'passphrase'))));
    return true;
  } catch {
    return false;
  }
};
