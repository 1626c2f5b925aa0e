import type { Endpoint } from '../protocol/connection-plan.js';
import { SmtpConnectionError, type Phase } from '../protocol/error.js';

/** What went wrong in a handshake, in a word. */
export type TlsReason =
  | 'plaintext-peer' | 'version' | 'cipher' | 'untrusted' | 'expired' | 'not-yet-valid' | 'host-name' | 'revoked'
  | 'client-certificate' | 'reset' | 'handshake';

const UNTRUSTED = 'The certificate is not signed by an authority that is trusted here. Give its authority in "tls.ca".';

const CERTIFICATE: Readonly<Record<string, readonly [TlsReason, string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: ['host-name', 'The certificate is for another name. Use the host name that it names, or set "tls.servername".'],
  CERT_HAS_EXPIRED: ['expired', 'The certificate has expired. The server must renew it.'],
  CERT_NOT_YET_VALID: ['not-yet-valid', 'The certificate is not valid yet. Check the clocks on both sides.'],
  CERT_REVOKED: ['revoked', 'The certificate was revoked.'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['untrusted', UNTRUSTED],
  SELF_SIGNED_CERT_IN_CHAIN: ['untrusted', UNTRUSTED],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['untrusted', UNTRUSTED],
  UNABLE_TO_GET_ISSUER_CERT: ['untrusted', UNTRUSTED],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['untrusted', UNTRUSTED],
  CERT_SIGNATURE_FAILURE: ['untrusted', UNTRUSTED],
  CERT_UNTRUSTED: ['untrusted', UNTRUSTED],
  CERT_REJECTED: ['untrusted', UNTRUSTED],
  INVALID_CA: ['untrusted', UNTRUSTED],
  INVALID_PURPOSE: ['untrusted', UNTRUSTED],
  HOSTNAME_MISMATCH: ['host-name', 'The certificate is for another name.'],
};

const HANDSHAKE: readonly (readonly [RegExp, TlsReason, string])[] = [
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE|RECORD_LAYER_FAILURE/, 'plaintext-peer', 'The server does not speak TLS here. Use security: ["starttls"] on this port, or the port for implicit TLS (465).'],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_PROTOCOLS_AVAILABLE/, 'version', 'Client and server have no TLS version in common. See "tls.versions".'],
  [/CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN/, 'client-certificate', 'The server did not accept our certificate, or wants one. See "tls.cert" and "tls.key".'],
  [/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_CIPHERS|INSUFFICIENT_SECURITY|SIGALG|DH_KEY_TOO_SMALL|LEGACY/, 'cipher', 'Client and server have no cipher or signature in common. See "tls.ciphers".'],
];

export const tlsError = (error: NodeJS.ErrnoException, phase: Phase, host: string, remote: Endpoint): SmtpConnectionError => {
  const name = error.code ?? '';
  const peer = `${host} (${remote.address}:${String(remote.port)})`;
  const certificate = Object.hasOwn(CERTIFICATE, name) ? CERTIFICATE[name] : /^(?:CERT_|CRL_|UNABLE_TO_|INVALID_|PATH_LENGTH)/.test(name) ? (['untrusted', UNTRUSTED] as const) : undefined;
  if (certificate !== undefined) {
    const [reason, hint] = certificate;
    // Only the message of a certificate error is kept: the error itself carries the whole certificate.
    return new SmtpConnectionError('E_CERTIFICATE', { phase, reason, message: `The certificate of ${peer} was refused: ${error.message} (${name}). ${hint}` });
  }
  if (name === 'ECONNRESET' || name === 'EPIPE')
    return new SmtpConnectionError('E_TLS', { phase, reason: 'reset', retryable: true, cause: error, message: `${peer} hung up during the TLS handshake (${name}). The port may not be for TLS, or the server is busy; try again later.` });
  const [, reason, hint] = HANDSHAKE.find(([pattern]) => pattern.test(name)) ?? [undefined, 'handshake' as const, 'See "tls" in the options.'];
  return new SmtpConnectionError('E_TLS', { phase, reason, cause: error, message: `The TLS handshake with ${peer} failed (${name || error.message}). ${hint}` });
};
