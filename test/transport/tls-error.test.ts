import { expect, test } from 'vitest';
import { certificateError, lateRefusal, tlsError } from '../../src/transport/tls-error.js';

const HANDSHAKE = { phase: 'tls', security: 'implicit', peer: 'mail.example', name: 'mail.example', versions: [], skippedVersions: [] } as const;

test.each([
  ['PATH_LENGTH_EXCEEDED', 'path length constraint exceeded', 'invalid', 'may not sign others'],
  ['INVALID_CA', 'invalid CA certificate', 'invalid', 'may not sign others'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'unable to get issuer certificate', 'untrusted', 'Give the root in "tls.ca" too'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate', 'untrusted', 'Give its authority in "tls.ca"'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', 'untrusted', 'It signed itself. If it is the server\'s own, give it in "tls.ca"'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', 'untrusted', 'Give that root in "tls.ca"; if you do not know who issued it'],
  ['UNABLE_TO_GET_CRL', 'unable to get certificate CRL', 'revoked', 'Give that authority\'s list too'],
  ['CRL_HAS_EXPIRED', 'CRL has expired', 'revoked', 'out of date'],
  ['HOSTNAME_MISMATCH', 'hostname mismatch', 'host-name', 'Connect to a name that the certificate is for'],
  ['UNSPECIFIED', 'permitted subtree violation', 'invalid', 'needs another one'],
  ['UNSPECIFIED', 'CA signature digest algorithm too weak', 'legacy-signature', 'level 0 needs "TLSv1.1" in "tls.versions"'],
])('%s, %s: %s', (code, text, reason, says) => {
  const error = certificateError(Object.assign(new Error(text), { code }), HANDSHAKE);
  expect(error).toMatchObject({ code: 'E_CERTIFICATE', reason });
  expect(error?.message).toContain(says);
});

test.each<[code: string, says: string]>([
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'Asked for: mail.example. The server knows no such name.'],
  ['ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED', 'lacks secure renegotiation (RFC 5746)'],
  ['ERR_SSL_WRONG_SIGNATURE_TYPE', 'level 0 needs "TLSv1.1" in "tls.versions"'],
  ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'The server could not go on. Its log'], ['ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE', 'The server could not go on.'],
  ['ERR_SSL_UNEXPECTED_MESSAGE', 'This side does not accept'], ['ERR_SSL_SSLV3_ROLLBACK_ATTACK', 'This side does not accept'], ['ERR_TLS_DH_PARAM_SIZE', 'This side does not accept'],
  ['ETIMEDOUT', 'What carries it did not hold'],
])('%s: %s', (code, says) => {
  expect(tlsError(Object.assign(new Error('x'), { code }), HANDSHAKE, 900, true).message).toContain(says);
});

test.each<[reason: string, words: string]>([
  ['version', 'VERSION_TOO_LOW NO_PROTOCOLS_AVAILABLE UNSUPPORTED_PROTOCOL TLSV1_ALERT_INAPPROPRIATE_FALLBACK'],
  ['client-certificate', 'SSL/TLS_ALERT_BAD_CERTIFICATE SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE SSL/TLS_ALERT_CERTIFICATE_UNKNOWN SSL/TLS_ALERT_CERTIFICATE_EXPIRED'],
  ['client-certificate', 'SSL/TLS_ALERT_CERTIFICATE_REVOKED TLSV1_ALERT_UNKNOWN_CA TLSV1_ALERT_DECRYPT_ERROR'],
  ['legacy-signature', 'MISSING_SIGALGS_EXTENSION NO_SUITABLE_SIGNATURE_ALGORITHM CA_KEY_TOO_SMALL CA_MD_TOO_WEAK'],
  ['cipher', 'NO_SHARED_CIPHER TLSV1_ALERT_INSUFFICIENT_SECURITY DH_KEY_TOO_SMALL BAD_DH_VALUE'],
  ['plaintext-peer', 'HTTP_REQUEST RECORD_LAYER_FAILURE'],
])('%s, in all words of OpenSSL: %s', (reason, words) => {
  for (const word of words.split(' ')) expect(tlsError(Object.assign(new Error('x'), { code: `ERR_SSL_${word}` }), HANDSHAKE, 900).reason, word).toBe(reason);
});

test('a carrier of the caller\'s own may fail with a number for a code', () => {
  const aborted = new DOMException('This operation was aborted', 'AbortError');
  expect([certificateError(aborted, HANDSHAKE), lateRefusal(aborted, 'mail.example:465')]).toEqual([undefined, undefined]);
  expect(tlsError(aborted, HANDSHAKE)).toMatchObject({ code: 'E_TLS', reason: 'handshake', message: expect.stringContaining('failed (This operation was aborted).') as string });
});

test.each<[code: string, reason: string | undefined]>([
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'client-certificate'], ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'host-name'], ['ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC', 'handshake'],
  ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', undefined], ['ECONNRESET', undefined],
])('%s in the place of the first reply: %s', (code, reason) => {
  expect(lateRefusal(Object.assign(new Error('x'), { code }), 'mail.example:465')?.reason).toBe(reason);
});

const CERTIFICATE = { subject: 'mail.example', issuer: 'authority', altNames: [], validFrom: 'Jan  1 00:00:00 2020 GMT', validTo: 'Jan  1 00:00:00 2120 GMT', fingerprint256: '' };

test.each([
  ['CERT_HAS_EXPIRED', CERTIFICATE, 'It is valid itself: one in its chain has expired.'],
  ['CERT_HAS_EXPIRED', { ...CERTIFICATE, validTo: 'Feb  1 00:00:00 2020 GMT' }, 'The server needs a new one'],
  ['CERT_NOT_YET_VALID', CERTIFICATE, 'It is valid itself: one in its chain is not valid yet.'],
  ['CERT_NOT_YET_VALID', { ...CERTIFICATE, validFrom: 'Jan  1 00:00:00 2110 GMT' }, '2120 GMT. Check the clocks'],
  ['CERT_REVOKED', CERTIFICATE, 'It is for mail.example, issued by authority, valid from'],
  ['CERT_REVOKED', { ...CERTIFICATE, altNames: ['a.example', 'b.example'] }, 'It is for a.example, b.example, issued by'],
  ['CERT_REVOKED', { ...CERTIFICATE, altNames: Array(12).fill('a.example') }, 'a.example and 2 more, issued by'],
  ['CERT_REVOKED', { ...CERTIFICATE, subject: '', issuer: '' }, 'It is for an empty name, issued by an empty name, valid from'],
])('%s: %j: %s', (code, certificate, says) => {
  expect(certificateError(Object.assign(new Error('x'), { code }), HANDSHAKE, certificate)?.message).toContain(says);
});

test.each<[code: string, bytesRead: number, wentOn: boolean, reason: string]>([
  ['ECONNRESET', 4, false, 'reset'], ['ECONNRESET', 5, false, 'interrupted'], ['EPIPE', 0, true, 'reset'], ['EPIPE', 5, true, 'interrupted'],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 7, false, 'cipher'], ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 8, true, 'client-certificate'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 5, false, 'plaintext-peer'], ['ERR_SSL_WRONG_VERSION_NUMBER', 5, true, 'handshake'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 7, false, 'version'], ['ERR_SSL_EE_KEY_TOO_SMALL', 900, true, 'legacy-signature'],
  ['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', 900, true, 'client-certificate'], ['ERR_ACCESS_DENIED', 0, false, 'handshake'],
])('%s behind %i bytes (went on: %s): %s', (code, bytesRead, wentOn, reason) => {
  const error = tlsError(Object.assign(new Error('x'), { code, syscall: 'read' }), HANDSHAKE, bytesRead, wentOn);
  expect(error).toMatchObject({ code: 'E_TLS', reason, retryable: reason === 'reset' || reason === 'interrupted' });
  expect(error.message).toContain(code);
});

test.each([
  [0, 'mail.example hung up during the TLS handshake. The port may not be for TLS'],
  [900, 'mail.example hung up during the TLS handshake. It, or something in between, broke off what it had begun'],
])('an end in good order behind %i bytes is told without an errno', (bytesRead, says) => {
  expect(tlsError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), HANDSHAKE, bytesRead).message).toContain(says);
});

test.each([
  ['implicit', 'The server does not speak TLS here. If it offers STARTTLS, use security: "starttls" on this port.'],
  ['starttls', 'The server does not speak TLS here, though it took STARTTLS: its set-up is broken.'],
] as const)('clear text where TLS is due, %s: %s', (security, says) => {
  expect(tlsError(Object.assign(new Error('x'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), { ...HANDSHAKE, security }, 5).message).toContain(says);
});
