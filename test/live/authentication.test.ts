import { filter, lastValueFrom, of, tap, toArray } from 'rxjs';
import { createHash, createHmac, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { anonymous, SmtpAuthenticationError, type SmtpOptions } from '../../src/index.js';
import { localhostCertificate, startServer, type Fault, type ServerOptions, type SignIn } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect, eventOf } from '../support/collect.js';
import { base64, clientOf, said, scripted, verify } from '../support/sign-in.js';

type Auth = NonNullable<SmtpOptions['auth']>;

const PASS = 'open sesame, €';
const TOKEN = 'ya29.a0AfB_token-of-ann~0123456789';
const ANN = { user: 'ann', pass: PASS };

const reply = (at: 'auth' | 'auth-response', text: string, times = 1): Fault => ({ at, do: 'reply', reply: text, times });

describe('each mechanism', () => {
  const rows: readonly (readonly [string, Auth, Auth])[] = [
    ...['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'].map((name) => [name, ANN, { ...ANN, pass: 'wrong word' }] as const),
    ...['XOAUTH2', 'OAUTHBEARER'].map((name) => [name, { user: 'ann', token: TOKEN }, { user: 'ann', token: 'wrong-token' }] as const),
  ];
  describe.each(rows)('%s', (mechanism, right, wrong) => {
    it.each(['none', 'starttls', 'implicit'] as const)('with security %s', async (security) => {
      const users = { ann: mechanism.startsWith('XO') || mechanism.startsWith('OA') ? TOKEN : PASS };
      await using server = await startServer({ users, mechanisms: [mechanism], tls: security });
      const told = await verify(server, { security, auth: right });
      expect(eventOf(told, 'authenticated')).toEqual({ type: 'authenticated', mechanism, user: 'ann' });
      const { error } = await verify(server, { security, auth: wrong });
      expect(error).toBeInstanceOf(SmtpAuthenticationError);
      expect(error).toMatchObject({ code: 'E_AUTH', phase: 'auth', outcome: 'refused', retryable: false, offered: [mechanism], tried: [mechanism], reply: { code: 535 } });
      expect(server.sessions[1]!.lines.filter((line) => line.startsWith('C: AUTH'))).toHaveLength(1);
    });
  });

  it.each([
    ['EXTERNAL', { external: true, authzid: 'ann@example.com' } as const, 'ann@example.com', 'AUTH EXTERNAL YW5uQGV4YW1wbGUuY29t', 'ann@example.com'],
    ['EXTERNAL', { external: true } as const, '', 'AUTH EXTERNAL =', ''],
    ['ANONYMOUS', anonymous('sirhc'), 'sirhc', 'AUTH ANONYMOUS c2lyaGM=', ''],
  ])('%s %j', async (name, auth, heard, line, user) => {
    await using server = await scripted(name, (_, initial) => Promise.resolve(initial === heard ? 'somebody' : undefined));
    expect(eventOf(await verify(server, { auth }), 'authenticated')).toEqual({ type: 'authenticated', mechanism: name, user });
    expect(said(server)).toEqual([line]);
  });
});

describe('SCRAM with channel binding', () => {
  it.each([
    ['TLSv1.2', 'tls-server-end-point', () => createHash('sha256').update(new X509Certificate(localhostCertificate.cert).raw).digest('hex')],
    ['TLSv1.3', 'tls-exporter', () => expect.stringMatching(/^[0-9a-f]{64}$/) as string],
  ] as const)('ties a sign-in over %s by %s', async (version, type, data) => {
    let bound = '';
    await using server = await scripted('SCRAM-SHA-256-PLUS', async (ask, initial) => {
      const final = await ask(`r=${initial?.split('r=')[1] ?? ''}server,s=AAEC,i=4096`);
      bound = /^c=([^,]*),/.exec(final ?? '')?.[1] ?? '';
      return undefined;
    }, { tls: 'implicit' });
    const { error } = await verify(server, { security: 'implicit', auth: ANN, tls: { ca: server.ca, versions: [version] } });
    expect(error).toMatchObject({ code: 'E_AUTH', tried: ['SCRAM-SHA-256-PLUS'] });
    const header = `p=${type},,`;
    const bytes = Buffer.from(bound, 'base64');
    expect([bytes.subarray(0, header.length).toString(), bytes.subarray(header.length).toString('hex')]).toEqual([header, data()]);
  });
});

describe('an initial response', () => {
  it('waits for the challenge where it would make the line too long', async () => {
    const token = 'x'.repeat(5000);
    await using server = await startServer({ users: { ann: token }, mechanisms: ['OAUTHBEARER'] });
    expect((await verify(server, { auth: { user: 'ann', token } })).error).toBeUndefined();
    expect(said(server)[0]).toBe('AUTH OAUTHBEARER');
    expect(said(server)).toHaveLength(2);
  });

  it.each([[367, 1], [368, 2]])('with a password of %i bytes takes %i lines', async (length, lines) => {
    const pass = 'p'.repeat(length);
    await using server = await startServer({ users: { ann: pass }, mechanisms: ['PLAIN'] });
    expect((await verify(server, { auth: { user: 'ann', pass } })).error).toBeUndefined();
    expect(said(server)).toHaveLength(lines);
    expect(said(server)[0]!.length).toBeLessThanOrEqual(510);
  });

  it('that is still to come cannot have been accepted', async () => {
    await using server = await startServer({ users: { ann: PASS }, mechanisms: ['PLAIN'], faults: [reply('auth', '235 Ok')] });
    expect((await verify(server, { auth: { user: 'ann', pass: 'p'.repeat(368) } })).error).toMatchObject({ code: 'E_PROTOCOL', phase: 'auth', reply: { code: 235 } });
  });
});

describe('the next mechanism', () => {
  const users = { ann: PASS };
  it.each([
    ['504', '504 5.5.4 Unknown mechanism', undefined], ['534', '534 5.7.9 Too weak', undefined], ['500, as some say it', '500 5.5.1 What?', undefined], ['501', '501 5.5.4 No', undefined], ['502', '502 5.5.1 No', undefined],
    ['not after 535', '535 5.7.8 No', 'E_AUTH'], ['not after 530', '530 5.7.0 No', 'E_AUTH'], ['not after 454', '454 4.7.0 Later', 'E_AUTH'], ['not after 538', '538 5.7.11 TLS first', 'E_AUTH'],
  ])('is tried: %s', async (_, refusal, code) => {
    await using server = await startServer({ users, mechanisms: ['CRAM-MD5', 'LOGIN'], faults: [reply('auth', refusal)] });
    const told = await verify(server, { auth: ANN });
    if (code === undefined) expect(eventOf(told, 'authenticated').mechanism).toBe('LOGIN');
    else expect(told.error).toMatchObject({ code, tried: ['CRAM-MD5'], offered: ['CRAM-MD5', 'LOGIN'], allowed: expect.arrayContaining(['CRAM-MD5', 'PLAIN', 'LOGIN']) as unknown });
  });

  it.each(['501 5.5.2 Cannot decode', '534 5.7.9 Application-specific password required'])('is not tried where a password has left: %s', async (refusal) => {
    await using server = await startServer({ users, mechanisms: ['PLAIN', 'LOGIN'], faults: [reply('auth', refusal)] });
    expect((await verify(server, { auth: ANN })).error).toMatchObject({ code: 'E_AUTH', tried: ['PLAIN'], reply: { code: Number(refusal.slice(0, 3)) } });
  });

  it('is not weaker than what is allowed', async () => {
    await using server = await startServer({ users, mechanisms: ['SCRAM-SHA-256', 'PLAIN'], faults: [reply('auth', '504 5.5.4 No')] });
    const { error } = await verify(server, { auth: ANN, allowedAuthentication: ['SCRAM-SHA-256'] });
    expect(error).toMatchObject({ code: 'E_AUTH', tried: ['SCRAM-SHA-256'], allowed: ['SCRAM-SHA-256'] });
  });

  it('ends when none is left, with all that were tried', async () => {
    await using server = await startServer({ users, mechanisms: ['CRAM-MD5', 'LOGIN'], faults: [reply('auth', '504 5.5.4 No', 2)] });
    expect((await verify(server, { auth: ANN })).error).toMatchObject({ code: 'E_AUTH', tried: ['CRAM-MD5', 'LOGIN'], reply: { code: 504 } });
  });
});

describe('a refusal', () => {
  it.each([
    ['421 4.3.2 Closing', true], ['454 4.7.0 Later', true], ['451 4.3.0 Later', true], ['432 4.7.12 Change it', false], ['535 5.7.8 No', false], ['530 5.7.0 No', false],
  ])('%s, retryable: %s', async (refusal, retryable) => {
    await using server = await startServer({ users: { ann: PASS }, mechanisms: ['LOGIN'], faults: [{ at: 'auth-response', do: refusal.startsWith('421') ? 'close' : 'reply', reply: refusal }] });
    const { error } = await verify(server, { auth: ANN });
    expect(error).toMatchObject({ code: 'E_AUTH', phase: 'auth', outcome: 'refused', retryable, reply: { code: Number(refusal.slice(0, 3)) } });
  });
});

describe('a server that breaks the exchange', () => {
  const signature: SignIn = async (ask, initial) => {
    const nonce = /r=(.*)$/.exec(initial ?? '')?.[1] ?? '';
    await ask(`r=${nonce}server,s=AAEC,i=4096`);
    await ask('v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=');
    return 'ann';
  };
  const rows: readonly (readonly [string, Partial<ServerOptions>, string, readonly string[]])[] = [
    ['235 right behind client-first', { mechanisms: ['SCRAM-SHA-256'], faults: [reply('auth', '235 Ok')] }, 'done before it was', []],
    ['235 right behind client-final', { mechanisms: ['SCRAM-SHA-256'], faults: [reply('auth-response', '235 Ok')] }, 'done before it was', []],
    ['a wrong signature', { signIn: { 'SCRAM-SHA-256': signature } }, 'its signature is wrong', ['*']],
    ['an error, and 235', { signIn: { 'SCRAM-SHA-256': async (ask, initial) => { await ask(`r=${initial?.split('r=')[1] ?? ''}server,s=AAEC,i=4096`); await ask('e=other-error'); return 'ann'; } } }, 'done before it was', ['']],
    ['endless iterations', { signIn: { 'SCRAM-SHA-256': async (ask, initial) => { await ask(`r=${initial?.split('r=')[1] ?? ''}server,s=AAEC,i=2147483647`); return undefined; } } }, '2147483647 iterations', ['*']],
    ['garbage for a challenge', { mechanisms: ['CRAM-MD5'], faults: [reply('auth', '334 !!!')] }, 'no base64', ['*']],
    ['two lines for a challenge', { mechanisms: ['CRAM-MD5'], faults: [reply('auth', '334-YWJj\r\n334 YWJj')] }, 'no base64', ['*']],
    ['an empty challenge for CRAM-MD5', { mechanisms: ['CRAM-MD5'], faults: [reply('auth', '334 ')] }, 'empty', ['*']],
    ['a huge challenge', { mechanisms: ['CRAM-MD5'], faults: [reply('auth', `334 ${base64('x'.repeat(9000))}`)] }, 'longer than', ['*']],
    ['a challenge behind PLAIN', { signIn: { PLAIN: async (ask) => { await ask('more'); return 'ann'; } } }, 'asked again', ['*']],
    ['LOGIN without an end', { signIn: { LOGIN: async (ask) => { for (;;) if (await ask('Password:') === undefined) return undefined; } } }, 'more rounds|more than a user', ['*']],
    ['235 behind the first prompt of LOGIN', { mechanisms: ['LOGIN'], faults: [reply('auth-response', '235 Ok')] }, 'done before it was', []],
    ['250, which is no answer', { mechanisms: ['LOGIN'], faults: [reply('auth-response', '250 Ok')] }, 'no answer to it', []],
  ];
  it.each(rows)('%s', async (_, options, words, end) => {
    await using server = await startServer({ ...(options.mechanisms === undefined ? {} : { users: { ann: PASS } }), ...options });
    const { error, types } = await verify(server, { auth: ANN });
    expect(error).toMatchObject({ code: 'E_PROTOCOL', phase: 'auth', outcome: 'not-sent', retryable: false });
    expect(error!.message).toMatch(new RegExp(words));
    expect(types).not.toContain('authenticated');
    if (end.length > 0) expect(said(server).slice(-end.length)).toEqual(end);
    // It may be anybody: nothing more is said.
    if (words === 'done before it was') expect(server.sessions[0]!.lines).not.toContain('C: QUIT');
  });

  it('does not get the password by asking for it first', async () => {
    await using server = await scripted('LOGIN', async (ask) => { await ask('Password:'); return undefined; });
    expect((await verify(server, { auth: ANN })).error).toMatchObject({ code: 'E_AUTH' });
    expect(said(server)).toEqual(['AUTH LOGIN', base64('ann')]);
  });
});

describe('secrets', () => {
  const forms = (secret: string): readonly string[] => [secret, base64(secret), encodeURIComponent(secret), base64(`\0ann\0${secret}`), base64(`user=ann\x01auth=Bearer ${secret}\x01\x01`)];

  /** What the server asks first; then it repeats what it was told, in the clear and in base64. */
  const echo = (question: string): SignIn => async (ask, initial) => {
    const told = initial ?? await ask(question) ?? '';
    await ask(JSON.stringify({ status: '401', echo: told, encoded: base64(told) }));
    return undefined;
  };

  /** Everything that a client emits about a sign-in that fails, and every form in which its secrets went over the wire. */
  const emitted = async (options: Partial<SmtpOptions>, mechanism: string): Promise<{ readonly text: string; readonly sent: readonly string[] }> => {
    const question = mechanism === 'DIGEST-MD5' ? 'nonce="abc",algorithm=md5-sess,charset=utf-8' : '<1@example>';
    await using server = await startServer(mechanism === 'SCRAM-SHA-256' ? { users: { ann: PASS }, mechanisms: [mechanism] } : { signIn: { [mechanism]: echo(question) } });
    await using client = clientOf(server, options);
    const emissions: unknown[] = [client];
    client.log$.subscribe((line) => { emissions.push(line); });
    const { error } = await collect(client.verify().pipe(tap((event) => { emissions.push(event); })));
    emissions.push(error, String(error), error?.stack, error?.transcript);
    const sent = said(server).map((line) => line.replace(/^AUTH \S+ ?/, '')).filter((line) => !['', '*', base64('ann')].includes(line));
    return {
      text: emissions.map((each) => `${inspect(each, { depth: 12, showHidden: true })}${JSON.stringify([each])}`).join('\n'),
      sent: sent.flatMap((line) => [line, Buffer.from(line, 'base64').toString()]).flatMap((each) => [each, ...each.split(/[\0-\x20,="]+/).filter((part) => part.length > 20)]),
    };
  };

  it.each<[string, Partial<SmtpOptions>, string]>([
    ['PLAIN', { auth: ANN }, PASS], ['LOGIN', { auth: ANN }, PASS], ['CRAM-MD5', { auth: ANN }, PASS], ['SCRAM-SHA-256', { auth: { ...ANN, pass: 'another word' } }, 'another word'],
    ['DIGEST-MD5', { auth: ANN, allowedAuthentication: ['DIGEST-MD5'] }, PASS], ['XOAUTH2', { auth: { user: 'ann', token: TOKEN } }, TOKEN], ['OAUTHBEARER', { auth: { user: 'ann', token: () => of(TOKEN) } }, TOKEN],
  ])('%s is nowhere in what is emitted', async (mechanism, options, secret) => {
    const { text, sent } = await emitted(options, mechanism);
    expect(text).toContain(mechanism);
    expect(sent.length).toBeGreaterThan(1);
    for (const form of [...forms(secret), ...sent]) expect(text).not.toContain(form);
  });

  it('a digest that the refusal repeats is not shown', async () => {
    const digest = createHmac('md5', PASS).update('<1@a>').digest('hex');
    await using server = await scripted('CRAM-MD5', async (ask) => { await ask('<1@a>'); return undefined; }, { faults: [reply('auth-response', `535 5.7.8 ${digest} is wrong`)] });
    const { error } = await verify(server, { auth: ANN });
    expect(error!.message).toContain('535 5.7.8 *** is wrong');
    expect(inspect(error)).not.toContain(digest);
  });
});

describe('a password that was refused', () => {
  it('is not tried again for each mail, but when somebody asks', async () => {
    await using server = await startServer({ users: { ann: PASS } });
    await using client = clientOf(server, { auth: { user: 'ann', pass: 'wrong word' } });
    const failures = await lastValueFrom(client.sendAll(Array(50).fill(MAIL)).pipe(filter(({ type }) => type === 'failed'), toArray()));
    expect(failures).toHaveLength(50);
    for (const failure of failures) expect(failure).toMatchObject({ error: { code: 'E_AUTH', outcome: 'refused', retryable: false } });
    expect(server.sessions.length).toBeLessThanOrEqual(5);
    const before = server.sessions.length;
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_AUTH' });
    expect(server.sessions).toHaveLength(before + 1);
  });
});
