import { asyncScheduler } from 'rxjs';
import { ownValue } from '../protocol/bare.js';
import type { SecurityMode, TlsVersion } from '../protocol/connection-plan.js';
import { codeOf, reasonOf, SmtpConnectionError, type Phase } from '../protocol/error.js';
import type { CertificateSummary } from '../protocol/event.js';
import type { LogLine } from '../protocol/log-line.js';
import { printable } from '../protocol/printable.js';

/** What went wrong in a handshake, in a word. */
type TlsReason =
  | 'plaintext-peer' | 'version' | 'cipher' | 'legacy-signature' | 'client-certificate' | 'reset' | 'interrupted' | 'handshake'
  | 'untrusted' | 'expired' | 'not-yet-valid' | 'host-name' | 'revoked' | 'invalid' | 'pin';

/** What stands in the place of a handshake: clear text, or an end without a word. */
export const NO_TLS: ReadonlySet<string> = new Set<TlsReason>(['plaintext-peer', 'reset']);

/** What an error tells of the handshake that it ended. */
export interface Handshake {
  readonly phase: Phase;
  /** How it began. */
  readonly security: SecurityMode;
  /** Whom it was with, for people. */
  readonly peer: string;
  /** The name that the certificate had to be for. */
  readonly name: string;
  readonly versions: readonly TlsVersion[];
  readonly skippedVersions: readonly TlsVersion[];
  /** A certificate of ours, to a server that asks for one. */
  readonly showsCertificate?: boolean;
}

const UNTRUSTED = 'It is not signed by an authority that is trusted here. Give its authority in "tls.ca", or have the server send its whole chain.';

const OTHER_NAME = ['host-name', 'Connect to a name that the certificate is for, or give that name as "tls.servername".'] as const;

const OF_NO_USE = ['invalid', 'It, or one in its chain, is not made for servers, or may not sign others. The server needs another one.'] as const;

/** OpenSSL's verdicts, and Node's own on the name. What is not listed is "untrusted" too. */
const VERDICTS: Readonly<Record<string, readonly [TlsReason, string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  HOSTNAME_MISMATCH: OTHER_NAME,
  CERT_HAS_EXPIRED: ['expired', 'The server needs a new one; or check the clock of this machine.'],
  CERT_NOT_YET_VALID: ['not-yet-valid', 'Check the clocks on both sides.'],
  CERT_REVOKED: ['revoked', 'The list in "tls.crl" says that its authority took it back. The server needs a new one.'],
  UNABLE_TO_GET_CRL: ['revoked', 'The list in "tls.crl" is not of the authority that signed it. Give that authority\'s list too.'],
  CRL_HAS_EXPIRED: ['revoked', 'The list in "tls.crl" is out of date, so nobody knows. Get a new one.'],
  INVALID_PURPOSE: OF_NO_USE,
  INVALID_CA: OF_NO_USE,
  PATH_LENGTH_EXCEEDED: OF_NO_USE,
  DEPTH_ZERO_SELF_SIGNED_CERT: ['untrusted', 'It signed itself. If it is the server\'s own, give it in "tls.ca", or its SHA-256 in "tls.fingerprints" with "tls.rejectUnauthorized" false.'],
  SELF_SIGNED_CERT_IN_CHAIN: ['untrusted', 'Its chain ends in a root that is not trusted here. Give that root in "tls.ca"; if you do not know who issued it, an antivirus or a proxy on the way may read this connection.'],
  UNABLE_TO_GET_ISSUER_CERT: ['untrusted', 'Its chain ends below a root. Give the root in "tls.ca" too: OpenSSL wants the whole chain.'],
  UNSPECIFIED: ['invalid', 'It, or one in its chain, breaks the rule that OpenSSL names here. The server needs another one.'],
};

const AS_IT_IS = '"tls.ciphers" with a lower @SECLEVEL takes it as it is; level 0 needs "TLSv1.1" in "tls.versions", too.';

const WEAK = ['legacy-signature', `Its key or signature is weaker than OpenSSL allows here. The server needs a new one; ${AS_IT_IS}`] as const;

const VERDICT = /^(?:CERT_|CRL_|UNABLE_TO_|INVALID_|ERROR_IN_|PATH_LENGTH|DEPTH_ZERO|SELF_SIGNED|AUTHORITY_|SUBJECT_|OUT_OF_MEM)/;

/** The same of one in its chain: OpenSSL does not say which it means. */
const OF_ITS_CHAIN: Readonly<Partial<Record<TlsReason, string>>> = {
  expired: 'It is valid itself: one in its chain has expired. Have the server send a current chain, or renew "tls.ca".',
  'not-yet-valid': 'It is valid itself: one in its chain is not valid yet. Check the clocks on both sides.',
};

const isOfToday = ({ validFrom, validTo }: CertificateSummary): boolean => Date.parse(validFrom) <= asyncScheduler.now() && asyncScheduler.now() <= Date.parse(validTo);

/** The error of a certificate that was not accepted; undefined for any other. */
export const certificateError = (error: Error, handshake: Handshake, certificate?: CertificateSummary): SmtpConnectionError | undefined => {
  const name = codeOf(error) ?? '';
  const verdict = verdictOf(name, error.message);
  if (verdict === undefined) return undefined;
  const [reason, ofItself] = verdict;
  const hint = (certificate !== undefined && isOfToday(certificate) ? OF_ITS_CHAIN[reason] : undefined) ?? ofItself;
  const what = reason === 'host-name' ? `not for ${handshake.name}` : error.message;
  return refusal(reason, `was refused: ${what} (${name})`, hint, handshake, certificate);
};

// Node says UNSPECIFIED for all that it has no name for, and only OpenSSL's text says which.
const verdictOf = (name: string, text: string): readonly [TlsReason, string] | undefined => {
  if (name === 'UNSPECIFIED' && /\btoo (?:weak|small|short)\b/.test(text)) return WEAK;
  return ownValue(VERDICTS, name) ?? (VERDICT.test(name) ? ['untrusted', UNTRUSTED] : undefined);
};

/** The error of a certificate that is none of those that were pinned. */
export const unpinnedCertificate = (certificate: CertificateSummary, fingerprints: readonly string[] | undefined, handshake: Handshake): SmtpConnectionError | undefined =>
  fingerprints === undefined || fingerprints.includes(certificate.fingerprint256) ? undefined : refusal('pin', `is none of "tls.fingerprints": its SHA-256 is ${certificate.fingerprint256}`, 'Find out whether the server was given a new one on purpose before you add it.', handshake, certificate);

// Node's own error is left out: it carries the whole certificate.
const refusal = (reason: TlsReason, what: string, hint: string, { peer, phase }: Handshake, certificate?: CertificateSummary): SmtpConnectionError =>
  new SmtpConnectionError('E_CERTIFICATE', { phase, reason, message: `The certificate of ${peer} ${what}. ${certificate === undefined ? '' : `${describe(certificate)} `}${hint}` });

const MOST_NAMES = 10;

const describe = ({ subject, issuer, altNames, validFrom, validTo }: CertificateSummary): string => {
  const names = altNames.length === 0 ? [subject] : altNames;
  const more = names.length > MOST_NAMES ? ` and ${String(names.length - MOST_NAMES)} more` : '';
  return printable(`It is for ${named(names.slice(0, MOST_NAMES).join(', ').slice(0, 500))}${more}, issued by ${named(issuer.slice(0, 100))}, valid from ${validFrom} to ${validTo}.`);
};

const named = (name: string): string => (name === '' ? 'an empty name' : name);

// So many bytes OpenSSL has taken for TLS, or it would have said so (RFC 8446 section 5.1).
const RECORD_HEADER = 5;
// A server that refuses the ClientHello itself says no more than one alert.
const ALERT_RECORD = 7;

const CLIENT_CERTIFICATE = ['client-certificate', 'The server wants a client certificate, or does not accept ours. Give one that it knows in "tls.cert" and "tls.key", or in "tls.pfx".'] as const;

/** Some judge our certificate and hang up without a word. */
export const PERHAPS_OF_CERTIFICATE = 'It may also not accept our certificate: see "tls.cert", or "tls.pfx".';

// OpenSSL's words for a first record that is none. It has the same ones for what comes behind a ServerHello.
const NO_RECORD = /(?:WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE)$/;

/** What may do where clear text is spoken. */
export const STARTTLS_INSTEAD = 'If it offers STARTTLS, use security: "starttls" on this port. Its port for implicit TLS is 465, as a rule.';

const PLAINTEXT_PEER = ['plaintext-peer', `The server does not speak TLS here. ${STARTTLS_INSTEAD}`] as const;
const BROKEN_STARTTLS = ['plaintext-peer', 'The server does not speak TLS here, though it took STARTTLS: its set-up is broken. Its port for implicit TLS (465) may do.'] as const;

// OpenSSL's names of alerts. Those of RFC 6066 section 9 lack the word.
const ALERT = /^ERR_SSL_(?:TLSV1|SSL(?:V3|\/TLS)_ALERT)/;

const FAILURES: readonly (readonly [RegExp, TlsReason, string])[] = [
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_PROTOCOLS_AVAILABLE|INAPPROPRIATE_FALLBACK/, 'version', 'List a version that the server can do in "tls.versions"; where that is an old one, better have the server updated.'],
  [/CERTIFICATE_REQUIRED|(?:BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|EXPIRED|REVOKED)|UNKNOWN_CA|ALERT_ACCESS_DENIED|DECRYPT_ERROR/, ...CLIENT_CERTIFICATE],
  [/SIGALG|SIGNATURE|(?:CA|EE)_KEY_TOO_SMALL|MD_TOO_WEAK/, 'legacy-signature', `The server signs in a way that OpenSSL no longer allows. It needs a new key or software; ${AS_IT_IS}`],
  [/HANDSHAKE_FAILURE|CIPHER|INSUFFICIENT_SECURITY|DH_KEY_TOO_SMALL|BAD_DH_VALUE/, 'cipher', 'Client and server have no cipher in common that is strong enough, or the server has no certificate. See "tls.ciphers", and the log of the server.'],
  [/UNRECOGNIZED_NAME/, 'host-name', 'The server knows no such name. Connect to one that it knows, or give one as "tls.servername".'],
  [/UNSAFE_LEGACY_RENEGOTIATION/, 'handshake', 'The server lacks secure renegotiation (RFC 5746), which OpenSSL 3 demands. It needs newer software.'],
  [ALERT, 'handshake', 'The server could not go on. Its log may say why; see also the options "tls".'],
  [/^ERR_(?:SSL|OSSL|TLS)_/, 'handshake', 'This side does not accept what the server sent. The server needs newer software, or something in between breaks TLS.'],
];

/** The error of a handshake that failed when the server had sent `bytesRead`, and we had sent more than the ClientHello or not. */
export const tlsError = (error: Error, handshake: Handshake, bytesRead = 0, wentOn = false): SmtpConnectionError => {
  const { peer, phase, showsCertificate = false } = handshake;
  const name = codeOf(error) ?? '';
  if (name === 'ECONNRESET' || name === 'EPIPE') {
    const reason = bytesRead < RECORD_HEADER ? 'reset' : 'interrupted';
    // Node has that errno for an end in good order, too.
    const how = 'syscall' in error ? ` (${name})` : '';
    const why = reason === 'reset' ? 'The port may not be for TLS, or the server is busy; try again later.' : `It, or something in between, broke off what it had begun; try again later.${showsCertificate ? ` ${PERHAPS_OF_CERTIFICATE}` : ''}`;
    return new SmtpConnectionError('E_TLS', { phase, reason, retryable: true, cause: error, message: `${peer} hung up during the TLS handshake${how}. ${why}` });
  }
  const [reason, hint] = whyFailed(name, handshake, bytesRead, wentOn);
  const wish = reason === 'version' ? ` ${offered(handshake)}` : reason === 'host-name' ? ` Asked for: ${handshake.name}.` : '';
  return new SmtpConnectionError('E_TLS', { phase, reason, cause: error, message: `The TLS handshake with ${peer} failed (${name || reasonOf(error)}).${wish} ${hint}` });
};

const whyFailed = (name: string, { security }: Handshake, bytesRead: number, wentOn: boolean): readonly [TlsReason, string] => {
  // Up to TLS 1.2 a server has one word for "no common cipher" and "no client certificate"; the second comes when it has shown its own.
  if (name.endsWith('ALERT_HANDSHAKE_FAILURE') && bytesRead > ALERT_RECORD) return CLIENT_CERTIFICATE;
  if (wentOn || !NO_RECORD.test(name)) return failureOf(name);
  return security === 'starttls' ? BROKEN_STARTTLS : PLAINTEXT_PEER;
};

const failureOf = (name: string): readonly [TlsReason, string] => {
  const [, reason, hint] = FAILURES.find(([pattern]) => pattern.test(name)) ?? [undefined, 'handshake' as const, 'What carries it did not hold; check the network, the proxy, or the option "socket".'];
  return [reason, hint];
};

const offered = ({ versions, skippedVersions }: Handshake): string =>
  `Offered: ${versions.join(', ')}${skippedVersions.length === 0 ? '' : `; this runtime cannot do ${skippedVersions.join(', ')}`}.`;

/** The error of a server that chose a version between the listed ones. */
export const unlistedVersion = (chosen: string, handshake: Handshake): SmtpConnectionError | undefined => {
  const { peer, phase, versions } = handshake;
  if (versions.some((version) => version === chosen)) return undefined;
  return new SmtpConnectionError('E_TLS', { phase, reason: 'version', message: `${peer} chose ${chosen}, which "tls.versions" leaves out. ${offered(handshake)} Add it to the list, or have the server offer one that is on it.` });
};

/**
 * The server's last word on the handshake, when our side of it is done already: in TLS 1.3 it judges a client's certificate
 * after that (RFC 8446 section 4.4.2.4), so its alert comes where its first reply is due. Undefined for any other error.
 */
export const lateRefusal = (error: Error | undefined, peer: string, transcript: readonly LogLine[] = []): SmtpConnectionError | undefined => {
  const code = codeOf(error) ?? '';
  if (!ALERT.test(code)) return undefined;
  const [reason, hint] = failureOf(code);
  return new SmtpConnectionError('E_TLS', { phase: 'tls', reason, transcript, cause: error, message: `${peer} refused the TLS handshake in the end (${code}). ${hint}` });
};
