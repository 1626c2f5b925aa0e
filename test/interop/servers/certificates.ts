import { expiredCertificate, localhostCertificate, otherCertificate, testAuthority, type Certificate } from '../../../src/testing/index.js';
import { certificateOf, fixture } from '../../support/tls-server.js';
import { inHome, write } from '../machine/home.js';

/** The PEM files that servers are told of. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const files = (name: string): CertificateFiles => ({ cert: inHome('tls', `${name}.pem`), key: inHome('tls', `${name}.key`) });

export const GOOD = files('localhost');
export const EXPIRED = files('expired');
export const WRONG_HOST = files('other');
export const UNTRUSTED = files('stranger');
/** Signs the certificates of clients. */
export const CLIENT_AUTHORITY = inHome('tls', 'client-authority.pem');

/** What the clients trust. */
export const TRUSTED = testAuthority;
/** Ann's own. */
export const CLIENT = certificateOf('client');

/** Everybody may read them: the keys are public anyway. */
export const writeCertificates = (): void => {
  const stranger = certificateOf('stranger');
  const all: readonly (readonly [CertificateFiles, Certificate])[] = [
    [GOOD, localhostCertificate], [EXPIRED, expiredCertificate], [WRONG_HOST, otherCertificate],
    [UNTRUSTED, { cert: stranger.cert.toString(), key: stranger.key.toString() }],
  ];
  const put = (file: string, content: string): void => { write(file.slice(inHome().length), content); };
  for (const [{ cert, key }, pem] of all) {
    put(cert, pem.cert);
    put(key, pem.key);
  }
  put(CLIENT_AUTHORITY, fixture('authority.pem').toString());
};
