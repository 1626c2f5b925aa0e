import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Capabilities } from '../../src/protocol/capabilities.js';
import { SmtpError, SmtpUsageError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import { authenticate } from '../../src/session/authenticate.js';
import type { State } from '../../src/session/state.js';
import { settings, type SmtpOptions } from '../../src/config/options.js';
import type { ByteStream } from '../../src/transport/byte-stream.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';
import { withoutMd5 } from '../support/without-md5.js';

const TLS: Partial<ByteStream> = {
  tls: { protocol: 'TLSv1.3', cipher: '', binding: { type: 'tls-exporter', data: new Uint8Array(32) }, certificate: { subject: '', issuer: '', altNames: [], validFrom: '', validTo: '', fingerprint256: '' } },
};
const FAR: Partial<ByteStream> = { remote: { address: '192.0.2.1', port: 587 } };
const NEAR: Partial<ByteStream> = { remote: { address: '::ffff:127.0.0.1', port: 587 } };

/** What is said first on this connection, or why nothing is. */
const firstWord = (stream: Partial<ByteStream>, offered: string, options: Partial<SmtpOptions> = {}): string => {
  const fake = Object.assign(new FakeStream(NEVER), stream);
  const checked = settings({ host: 'mail.example', auth: { user: 'ann', pass: 'open sesame' }, ...options });
  const wire = wireOn(fake, { timeouts: checked.timeouts });
  const state: State = {
    stage: 'introduced', events: [], plan: { host: 'mail.example', port: 587, security: 'none' }, settings: checked, wire,
    capabilities: Capabilities.fromEhlo(makeReply(250, ['mail.example', `AUTH ${offered}`])), greetBy: deadline(monotonic, 'greeting', Infinity), operation: deadline(monotonic, 'operation', Infinity),
  };
  let said = '';
  const running = authenticate(state, checked.credentials!).subscribe({ error: (error: unknown) => { said = error instanceof SmtpError ? `${error.code} ${error.message}` : String(error); } });
  said ||= fake.written.join('');
  running.unsubscribe();
  wire.fail(() => new SmtpUsageError({ message: 'over' }));
  return said.trimEnd();
};

describe('authenticate', () => {
  it.each<[string, Partial<ByteStream>, string, Partial<SmtpOptions>, RegExp]>([
    ['a password is not told to who reads along', FAR, 'PLAIN LOGIN', {}, /^E_AUTH .*PLAIN, LOGIN would send the secret over clear text\. Use TLS/],
    ['unless that is accepted', FAR, 'PLAIN LOGIN', { allowInsecureAuth: true }, /^AUTH PLAIN [A-Za-z0-9+/=]+$/],
    ['a token neither', FAR, 'XOAUTH2', { auth: { user: 'ann', token: 't' } }, /^E_AUTH .*XOAUTH2 would send the secret over clear text/],
    ['what gives nothing away is used', FAR, 'PLAIN CRAM-MD5', {}, /^AUTH CRAM-MD5$/],
    ['this machine may hear it', NEAR, 'PLAIN', {}, /^AUTH PLAIN /],
    ['unless it only looks near, through a proxy', { ...NEAR, via: 'socks5://proxy.example:1080' }, 'PLAIN', {}, /^E_AUTH /],
    ['TLS may carry it', { ...FAR, ...TLS }, 'PLAIN', {}, /^AUTH PLAIN /],
    ['TLS through a proxy, too', { ...FAR, ...TLS, via: 'socks5://proxy.example:1080' }, 'XOAUTH2', { auth: { user: 'ann', token: 't' } }, /^AUTH XOAUTH2 /],
    ['SCRAM is bound to TLS', { ...FAR, ...TLS }, 'SCRAM-SHA-256 SCRAM-SHA-256-PLUS', {}, /^AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIs/],
    ['SCRAM tells that it could be', { ...FAR, ...TLS }, 'SCRAM-SHA-256', {}, /^AUTH SCRAM-SHA-256 eSwsbj1hbm4scj/],
    ['SCRAM over clear text', FAR, 'SCRAM-SHA-256 SCRAM-SHA-256-PLUS', {}, /^AUTH SCRAM-SHA-256 biwsbj1hbm4scj/],
    ['nothing is offered', FAR, '', {}, /^E_AUTH .*offers no authentication here\. Leave "auth" out/],
    ['nothing in common', FAR, 'GSSAPI', { allowedAuthentication: ['PLAIN'] }, /^E_AUTH .*offers GSSAPI, and allowed are PLAIN: nothing in common/],
    ['what would do if it were named', { ...FAR, ...TLS }, 'NTLM GSSAPI', {}, /nothing in common\. If that will do, set allowedAuthentication: \["NTLM"\]\.$/],
    ['but not where it would be read along', FAR, 'PLAIN', { allowedAuthentication: ['SCRAM-SHA-256'] }, /Change "auth" or "allowedAuthentication"\.$/],
    ['a password where tokens are wanted', { ...FAR, ...TLS }, 'XOAUTH2', {}, /nothing in common\. Give "auth\.token" in the place of "auth\.pass"\.$/],
    ['PLAIN before SCRAM, where SASLprep changes the password', { ...FAR, ...TLS }, 'SCRAM-SHA-256 PLAIN', { auth: { user: 'ann', pass: 'geheim\u00b2' } }, /^AUTH PLAIN /],
    ['and where it cannot carry it', { ...FAR, ...TLS }, 'SCRAM-SHA-256 PLAIN', { auth: { user: 'ann', pass: 'hunter2\u0007' } }, /^AUTH PLAIN /],
    ['SCRAM refuses what it cannot carry, and does not repeat it', { ...FAR, ...TLS }, 'SCRAM-SHA-256', { auth: { user: 'ann', pass: 'hunter2\u0007' } }, /^E_USAGE auth\.pass holds a control(?!.*hunter2)/],
  ])('%s', (_, stream, offered, options, expected) => {
    expect(firstWord(stream, offered, options)).toMatch(expected);
  });

  it.each<[string, Partial<ByteStream>, string, RegExp]>([
    ['PLAIN in the place of CRAM-MD5', { ...FAR, ...TLS }, 'PLAIN CRAM-MD5', /^AUTH PLAIN /],
    ['unless somebody reads along', FAR, 'PLAIN CRAM-MD5', /^E_AUTH .*PLAIN would send the secret over clear text\. Use TLS/],
    ['what is missing', { ...FAR, ...TLS }, 'CRAM-MD5', /^E_AUTH .*offers CRAM-MD5, but this runtime has no MD5 for CRAM-MD5, as in FIPS mode\. Use another mechanism/],
  ])('without MD5: %s', (_, stream, offered, expected) => {
    withoutMd5();
    expect(firstWord(stream, offered)).toMatch(expected);
  });
});
