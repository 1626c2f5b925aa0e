import { expect, test } from 'vitest';
import { certificateError } from '../../src/transport/tls-error.js';

const HANDSHAKE = { phase: 'tls', peer: 'mail.example', name: 'mail.example', versions: [], skippedVersions: [] } as const;

test.each([
  ['PATH_LENGTH_EXCEEDED', 'path length constraint exceeded', 'invalid', 'may not sign others'],
  ['INVALID_CA', 'invalid CA certificate', 'invalid', 'may not sign others'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'unable to get issuer certificate', 'untrusted', 'Give the root in "tls.ca" too'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate', 'untrusted', 'Give its authority in "tls.ca"'],
  ['UNSPECIFIED', 'permitted subtree violation', 'invalid', 'needs another one'],
  ['UNSPECIFIED', 'CA signature digest algorithm too weak', 'legacy-signature', '@SECLEVEL'],
])('%s, %s: %s', (code, text, reason, says) => {
  const error = certificateError(Object.assign(new Error(text), { code }), HANDSHAKE);
  expect(error).toMatchObject({ code: 'E_CERTIFICATE', reason });
  expect(error?.message).toContain(says);
});
