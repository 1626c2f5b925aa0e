import { describe, expect, it } from 'vitest';
import type { SmtpOptions } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';

const users = { ann: 'open sesame' };
const POOL = { allowInsecureAuth: true, pool: { maxConnections: 5 } };

describe('many mails at once', () => {
  it.each<[string, NonNullable<SmtpOptions['auth']>, string]>([
    ['a password', { user: 'ann', pass: 'open says me' }, 'PLAIN'], ['a token', { user: 'ann', token: 'open-says-me' }, 'XOAUTH2'], ['a certificate', { external: true }, 'EXTERNAL'],
  ])('try %s that is refused once, whenever their connections are ready', async (_, auth, mechanism) => {
    await using server = await startServer({
      signIn: { [mechanism]: () => Promise.resolve(undefined) },
      faults: [2, 3, 4, 5].map((session) => ({ at: 'ehlo', session, do: 'delay', ms: 20 * session })),
    });
    await using client = clientOf(server, { ...POOL, auth });
    expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('refused auth'));
    expect(server.sessions.length).toBeGreaterThan(1);
    expect(server.sessions.flatMap(({ lines }) => lines.filter((line) => line.startsWith('C: AUTH')))).toHaveLength(1);
  });

  it('try a wrong password once', async () => {
    await using server = await startServer({ users });
    await using client = clientOf(server, { ...POOL, auth: { user: 'ann', pass: 'open says me' } });
    expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('refused auth'));
    expect(server.sessions.length).toBeGreaterThan(1);
    expect(server.sessions.flatMap(({ lines }) => lines.filter((line) => line.startsWith('C: AUTH')))).toHaveLength(1);
  });

  it('sign in on every connection when it is right', async () => {
    await using server = await startServer({ users });
    await using client = clientOf(server, { ...POOL, auth: { user: 'ann', pass: 'open sesame' } });
    expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('accepted'));
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: AUTH')).length)).toEqual(Array(5).fill(1));
  });
});

it('a token that was refused is not held against the next one', async () => {
  const tokens = ['old', 'older', 'good'];
  await using server = await startServer({ users: { ann: 'good' }, mechanisms: ['XOAUTH2'] });
  await using client = clientOf(server, { ...POOL, auth: { user: 'ann', token: () => [tokens.shift() ?? 'none'] } });
  expect(outcomes(await sendAll(client, mails(1)))).toEqual(['refused auth']);
  expect(outcomes(await sendAll(client, mails(1)))).toEqual(['accepted']);
});

describe('a refusal that says what is wanted instead', () => {
  it.each<[string, string, string, boolean]>([
    ['535 5.7.139 Authentication unsuccessful, basic authentication is disabled.', 'PLAIN', 'sign in with a token, auth: { user, token }.', false],
    ['550 5.7.30 Basic authentication is not supported for Client Submission.', 'PLAIN', 'sign in with a token, auth: { user, token }.', false],
    ['535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.', 'PLAIN', 'an administrator has to enable SMTP AUTH for this mailbox.', false],
    ['535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.', 'XOAUTH2', 'an administrator has to enable SMTP AUTH for this mailbox.', false],
    ['535 5.7.139 Authentication unsuccessful, user is locked by your organization\'s security defaults policy. Contact your administrator.', 'PLAIN', 'its administrator has to allow it.', false],
    ['535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.', 'XOAUTH2', 'its administrator has to allow it.', false],
    ['525 5.7.1 Unauthorized IP address', 'PLAIN', 'Have this machine\'s IP address allowed there.', false],
    ['535 5.7.8 Username and Password not accepted, see https://support.google.com/mail/?p=BadCredentials a1b2 - gsmtp', 'PLAIN', 'Google takes an app password or a token, and not the password of the account', false],
    ['535 5.7.8 Username and Password not accepted, see https://support.google.com/mail/?p=BadCredentials a1b2 - gsmtp', 'XOAUTH2', 'Check "auth.user", and that "auth.token" is fresh', false],
    ['504 5.7.4 Unrecognized authentication type', 'PLAIN', 'It takes no sign-in by PLAIN here. Change "auth" or "allowedAuthentication".', false],
    ['502 5.5.1 Command not implemented', 'XOAUTH2', 'It takes no sign-in by XOAUTH2 here. Change "auth" or "allowedAuthentication".', false],
    ['500 5.5.6 Authentication exchange line is too long', 'XOAUTH2', 'Check "auth.user", and that "auth.token" is fresh', false],
    ['534 5.7.9 Application-specific password required.', 'PLAIN', 'Give an app password or authorization code as "auth.pass"', false],
    ['535 Login Fail. Please enter your authorization code to login.', 'PLAIN', 'Give an app password or authorization code as "auth.pass"', false],
    ['535 5.7.8 The authorization code has expired', 'XOAUTH2', 'Check "auth.user", and that "auth.token" is fresh', false],
    ['432 4.3.2 Concurrent connections limit exceeded.', 'PLAIN', 'lower "pool.maxConnections".', true],
    ['454 4.7.0 Invalid username or password. Try again later.', 'PLAIN', 'If it goes on, check "auth"', true],
    ['454 4.7.0 Too many login attempts, please try again later.', 'PLAIN', 'Try again later.', true],
    ['538 5.7.11 Encryption required.', 'PLAIN', ' required. It wants TLS first', false],
    ['530 5.7.0 Must issue a STARTTLS command first', 'PLAIN', 'It wants TLS first', false],
  ])('%s, by %s', async (reply, mechanism, hint, retryable) => {
    await using server = await startServer({ users, mechanisms: [mechanism], faults: [{ at: 'auth', do: 'reply', reply }] });
    await using client = clientOf(server, { ...POOL, auth: mechanism === 'PLAIN' ? { user: 'ann', pass: 'open sesame' } : { user: 'ann', token: 'open-sesame' } });
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_AUTH', outcome: 'refused', retryable, message: expect.stringContaining(hint) as string });
  });
});

it.each(['538 5.7.11 Encryption required.', '530 5.7.0 Authentication required'])('over TLS, it is not TLS that is wanted: %s', async (reply) => {
  await using server = await startServer({ users, faults: [{ at: 'auth', do: 'reply', reply }] });
  await using client = clientOf(server, { host: 'localhost', security: 'starttls', tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' } });
  expect((await collect(client.verify())).error?.message).toContain('Check "auth.user" and "auth.pass".');
});

it('a mechanism that is not taken after all leaves those that are offered, and not allowed', async () => {
  await using server = await startServer({ users, mechanisms: ['PLAIN', 'LOGIN'], faults: [{ at: 'auth', do: 'reply', reply: '504 5.7.4 Unrecognized authentication type' }] });
  await using client = clientOf(server, { ...POOL, auth: { user: 'ann', pass: 'open sesame' }, allowedAuthentication: ['PLAIN'] });
  expect((await collect(client.verify())).error?.message).toContain('It takes no sign-in by PLAIN here. If that will do, set allowedAuthentication: ["LOGIN"].');
});

describe('SCRAM tells why it was refused', () => {
  it.each([
    ['invalid-proof', 'Check "auth.user" and "auth.pass".'],
    ['channel-bindings-dont-match', 'Someone in between'], ['server-does-support-channel-binding', 'Someone in between'],
  ])('%s', async (why, hint) => {
    await using server = await startServer({ signIn: { 'SCRAM-SHA-256': async (ask) => { await ask(`e=${why}`); return undefined; } } });
    await using client = clientOf(server, { ...POOL, auth: { user: 'ann', pass: 'open sesame' } });
    const { error } = await collect(client.verify());
    expect(error).toMatchObject({ code: 'E_AUTH', outcome: 'refused', retryable: false, reply: { code: 535 }, refusal: { error: why } });
    expect(error?.message).toContain(`(error ${why}). ${hint}`);
  });

  it('or it has to be guessed, where a form that is offered was refused before', async () => {
    const no = (): Promise<undefined> => Promise.resolve(undefined);
    await using server = await startServer({ signIn: { 'SCRAM-SHA-256-PLUS': no, 'SCRAM-SHA-256': no }, faults: [{ at: 'auth', do: 'reply', reply: '504 5.5.4 No' }] });
    await using client = clientOf(server, { host: 'localhost', security: 'starttls', tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' } });
    const { error } = await collect(client.verify());
    expect(error).toMatchObject({ code: 'E_AUTH', tried: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] });
    expect(error?.message).toContain('It had refused SCRAM-SHA-256-PLUS, which it offers. Someone in between');
  });
});

describe('a password that may be right all the same', () => {
  it.each<[string, string, string, string | undefined]>([
    ['SCRAM-SHA-256', 'geheim\u00b2', '535 5.7.8 no', 'which some servers do not apply: over TLS, try allowedAuthentication: ["PLAIN"].'],
    ['SCRAM-SHA-256 PLAIN', 'geheim', '535 5.7.8 no', undefined],
    ['NTLM', 'geheim', '535 5.7.8 no', 'A server that knows no more than NTLMv1 refuses the right password, too'],
    ['CRAM-MD5 PLAIN', 'geheim', '535 5.7.8 no', 'A server that has no more than a hash of the password cannot check it by CRAM-MD5: try allowedAuthentication: ["PLAIN"].'],
    ['CRAM-MD5 LOGIN', 'geheim', '535 5.7.8 no', undefined],
  ])('is refused by the first of %s: %s', async (offered, pass, refusal, hint) => {
    const names = offered.split(' ');
    await using server = await startServer({ signIn: Object.fromEntries(names.map((name) => [name, () => Promise.resolve('ann')])), faults: [{ at: 'auth', do: 'reply', reply: refusal }] });
    await using client = clientOf(server, { ...POOL, auth: { user: 'ann', pass }, allowedAuthentication: names.slice(0, 1) });
    const { error } = await collect(client.verify());
    expect(error?.message).toMatch(/Check "auth\.user" and "auth\.pass"\./);
    expect(error?.message.split('"auth.pass".')[1]).toContain(hint ?? '');
    expect(error?.message.endsWith('Check "auth.user" and "auth.pass".')).toBe(hint === undefined);
  });
});
