import { describe, expect, it } from 'vitest';
import { explanation } from '../../src/cli/explain-sign-in.js';
import { withoutMd5 } from '../support/without-md5.js';

const POSTFIX = ['PLAIN', 'LOGIN', 'NTLM', 'CRAM-MD5', 'SCRAM-SHA-256'];
const CLEAR = { isSecure: false, confidential: false, allowed: undefined };
const TLS = { isSecure: true, confidential: true, allowed: undefined };

describe('explanation', () => {
  it.each([
    ['over clear text', POSTFIX, CLEAR, [
      'sign-in over clear text: PLAIN LOGIN NTLM CRAM-MD5 SCRAM-SHA-256',
      'a password would use SCRAM-SHA-256, the strongest that is offered and allowed',
      'only if the server refuses that mechanism itself: CRAM-MD5',
      'not without TLS: PLAIN LOGIN',
      'only where allowedAuthentication names it: NTLM',
    ]],
    ['over TLS', POSTFIX, TLS, [
      'sign-in over TLS: PLAIN LOGIN NTLM CRAM-MD5 SCRAM-SHA-256',
      'a password would use SCRAM-SHA-256, the strongest that is offered and allowed',
      'only if the server refuses that mechanism itself: CRAM-MD5 PLAIN LOGIN',
      'only where allowedAuthentication names it: NTLM',
    ]],
    ['bound to TLS', ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'], TLS, [
      'sign-in over TLS: SCRAM-SHA-256-PLUS SCRAM-SHA-256',
      'a password would use SCRAM-SHA-256-PLUS, the strongest that is offered and allowed',
      'only if the server refuses that mechanism itself: SCRAM-SHA-256',
    ]],
    ['by a list', ['PLAIN', 'LOGIN'], { ...TLS, allowed: ['LOGIN'] }, [
      'sign-in over TLS: PLAIN LOGIN',
      'a password would use LOGIN, the strongest that is offered and allowed',
      'only where allowedAuthentication names it: PLAIN',
    ]],
    ['not at all', ['XOAUTH2'], TLS, ['sign-in over TLS: XOAUTH2', 'a password would use none of them']],
    ['nowhere', [], CLEAR, ['sign-in over clear text: none is offered']],
  ])('%s', (_, offered, circumstances, lines) => {
    expect(explanation(offered, circumstances)).toEqual(lines);
  });

  it('without MD5', () => {
    withoutMd5();
    expect(explanation(['PLAIN', 'NTLM', 'CRAM-MD5'], TLS)).toEqual([
      'sign-in over TLS: PLAIN NTLM CRAM-MD5',
      'a password would use PLAIN, the strongest that is offered and allowed',
      'not in this runtime, which has no MD5: CRAM-MD5',
    ]);
  });

  it.each([
    ['a token', 'XOAUTH2', { kind: 'token', user: 'ann' }],
    ['the certificate', 'EXTERNAL', { kind: 'external', authzid: '' }],
  ] as const)('of %s', (what, mechanism, credentials) => {
    expect(explanation(['SCRAM-SHA-256', 'XOAUTH2', 'EXTERNAL'], TLS, credentials)).toEqual([
      'sign-in over TLS: SCRAM-SHA-256 XOAUTH2 EXTERNAL', `${what} would use ${mechanism}, the strongest that is offered and allowed`,
    ]);
  });
});
