import { firstValueFrom, forkJoin, lastValueFrom, tap, throwError, toArray } from 'rxjs';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { receipts, SmtpAuthenticationError, SmtpClient, SmtpFallbackError, type LogLine, type SmtpOptions } from '../../src/index.js';
import { expiredCertificate, otherCertificate, startServer, type TestServer } from '../../src/testing/index.js';
import { collect, eventOf } from '../support/collect.js';

const RAW = { envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: 'Message-ID: <1@example.com>\r\nSubject: hello\r\n\r\n.Hi\r\n' };
const USERS = { ann: 'open sesame' };
const AUTH = { user: 'ann', pass: 'open sesame' };

const clientOf = (server: TestServer, options: Partial<SmtpOptions> = {}): SmtpClient =>
  new SmtpClient({ host: 'localhost', port: server.port, tls: { ca: server.ca }, ...options });

describe('a code beyond those of RFC 5321', () => {
  it.each([
    ['mail', '471 4.7.1 not now', { code: 'E_REPLY', phase: 'mail', outcome: 'refused', retryable: true }],
    ['rcpt', '571 5.7.1 not here', { code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: false }],
    ['end-of-data', '572 5.7.1 not this', { code: 'E_REPLY', phase: 'end-of-data', outcome: 'refused', retryable: false }],
    ['greeting', '591 not you', { code: 'E_REPLY', phase: 'greeting', outcome: 'refused', retryable: false }],
  ] as const)('is a no in %s: %s', async (at, reply, expected) => {
    await using server = await startServer({ faults: [{ at, do: 'reply', reply }] });
    await using client = clientOf(server, { security: ['none'] });
    const { error } = await collect(client.send(RAW));
    expect(error).toMatchObject(expected);
    expect(error?.message).toContain(reply);
  });

  it('concerns its own recipient only', async () => {
    await using server = await startServer({ faults: [{ at: 'rcpt', do: 'reply', reply: '571 5.7.1 not here' }] });
    await using client = clientOf(server, { security: ['none'] });
    const receipt = await firstValueFrom(client.send({ ...RAW, envelope: { from: null, to: ['eve@example.org', 'bob@example.org'] } }).pipe(receipts()));
    expect(receipt).toMatchObject({ accepted: ['bob@example.org'], refused: [{ recipient: 'eve@example.org', reply: { code: 571 } }] });
  });
});

describe('the order of events', () => {
  it('over STARTTLS with a sign-in', async () => {
    await using server = await startServer({ users: USERS });
    await using client = clientOf(server, { security: ['starttls'], auth: AUTH });
    const told = await collect(client.send(RAW));
    expect(told.types).toEqual(['attempt-started', 'connected', 'greeted', 'introduced', 'secured', 'introduced', 'authenticated', 'ready', 'sender-accepted', 'recipient-accepted', 'progress', 'accepted']);
    expect(eventOf(told, 'secured')).toMatchObject({ mode: 'starttls', protocol: 'TLSv1.3' });
    expect(eventOf(told, 'authenticated')).toEqual({ type: 'authenticated', mechanism: 'CRAM-MD5', user: 'ann' });
    expect(eventOf(told, 'ready').supportedAuthentication).toEqual(expect.arrayContaining(['PLAIN', 'LOGIN', 'CRAM-MD5']));
    expect(server.messages[0]?.content.toString()).toBe(RAW.raw);
    expect(eventOf(told, 'accepted').receipt).toMatchObject({ messageId: '<1@example.com>', accepted: ['bob@example.org'], refused: [], bytes: RAW.raw.length, queueId: server.messages[0]?.queueId });
  });

  it('over implicit TLS', async () => {
    await using server = await startServer({ tls: 'implicit' });
    await using client = clientOf(server, { security: ['implicit'] });
    const told = await collect(client.send(RAW));
    expect(told.types).toEqual(['attempt-started', 'connected', 'secured', 'greeted', 'introduced', 'ready', 'sender-accepted', 'recipient-accepted', 'progress', 'accepted']);
  });

  it('on a connection that is open already', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['starttls'] });
    await collect(client.send(RAW));
    const told = await collect(client.send(RAW));
    expect(told.types).toEqual(['ready', 'sender-accepted', 'recipient-accepted', 'progress', 'accepted']);
    expect(eventOf(told, 'ready').reused).toBe(true);
    expect(Object.isFrozen(eventOf(told, 'ready'))).toBe(true);
    expect(server.sessions).toHaveLength(1);
  });

  it('is cold: nothing happens before subscribe, and each subscription is a send', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none'] });
    const send$ = client.send(RAW);
    expect(server.sessions).toHaveLength(0);
    await collect(send$);
    await collect(send$);
    expect(server.messages).toHaveLength(2);
  });
});

describe('the automatic mode', () => {
  it('falls from implicit TLS to STARTTLS on one port, and says why', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: 'tls' });
    const told = await collect(client.send(RAW));
    expect(told.types.slice(0, 4)).toEqual(['attempt-started', 'connected', 'attempt-failed', 'attempt-started']);
    expect(eventOf(told, 'attempt-failed').error).toMatchObject({ code: 'E_TLS', reason: 'plaintext-peer' });
    expect(told.types.at(-1)).toBe('accepted');
  });

  it('falls to clear text only where that is allowed', async () => {
    await using server = await startServer({ tls: 'none' });
    await using strict = clientOf(server, { security: 'tls' });
    const { error } = await collect(strict.send(RAW));
    expect(error).toBeInstanceOf(SmtpFallbackError);
    expect(error).toMatchObject({ code: 'E_ALL_ATTEMPTS', outcome: 'not-sent', attempts: [{ plan: { security: 'implicit' } }, { plan: { security: 'starttls' } }] });
    expect(server.messages).toHaveLength(0);
    await using lenient = clientOf(server, { security: 'auto' });
    expect((await collect(lenient.send(RAW))).types.at(-1)).toBe('accepted');
  });

  const bad = { 'an untrusted certificate': {}, 'an expired certificate': expiredCertificate, 'a certificate for another host': otherCertificate };
  for (const [title, { cert, key }] of Object.entries(bad as Record<string, Partial<typeof expiredCertificate>>)) {
    for (const tls of ['starttls', 'implicit'] as const) {
      it(`${title} ends the run, over ${tls}`, async () => {
        await using server = await startServer({ tls, ...(cert === undefined || key === undefined ? {} : { cert, key }) });
        await using client = clientOf(server, { security: 'auto', ...(cert === undefined ? { tls: {} } : {}) });
        const { error, types } = await collect(client.send(RAW));
        expect(error).toMatchObject({ code: 'E_CERTIFICATE', phase: 'tls', outcome: 'not-sent', retryable: false });
        expect(types).not.toContain('ready');
      });
    }
  }

  it('sends with an unverified certificate only on demand, and warns', async () => {
    await using server = await startServer({ tls: 'implicit' });
    await using client = clientOf(server, { security: ['implicit'], tls: { rejectUnauthorized: false } });
    const told = await collect(client.send(RAW));
    expect(eventOf(told, 'warning').code).toBe('W_UNVERIFIED');
    expect(told.types.at(-1)).toBe('accepted');
  });

  it('checks an IP host against the IP entries of the certificate', async () => {
    await using server = await startServer({ tls: 'implicit' });
    await using client = clientOf(server, { host: '127.0.0.1', security: ['implicit'] });
    expect((await collect(client.send(RAW))).types.at(-1)).toBe('accepted');
  });
});

describe('signing in', () => {
  it('names what was offered and allowed where nothing is in common', async () => {
    await using server = await startServer({ users: USERS, mechanisms: ['LOGIN'] });
    await using client = clientOf(server, { security: ['starttls'], auth: AUTH, allowedAuthentication: ['CRAM-MD5'] });
    const { error } = await collect(client.send(RAW));
    expect(error).toBeInstanceOf(SmtpAuthenticationError);
    expect(error).toMatchObject({ offered: ['LOGIN'], allowed: ['CRAM-MD5'], tried: [], outcome: 'not-sent' });
  });

  it('is E_AUTH where the server offers none', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['starttls'], auth: AUTH });
    expect((await collect(client.send(RAW))).error).toMatchObject({ code: 'E_AUTH', phase: 'auth', offered: [] });
  });

  it('shows the password nowhere: not in events, errors, log lines or the client', async () => {
    await using server = await startServer({ users: USERS, faults: [{ at: 'auth', do: 'reply', reply: `535 5.7.8 bad ${Buffer.from('\0ann\0open sesame').toString('base64')} open sesame` }] });
    await using client = clientOf(server, { security: ['starttls'], auth: AUTH, allowedAuthentication: ['PLAIN'] });
    const lines: LogLine[] = [];
    client.log$.subscribe((line) => { lines.push(line); });
    const told = await collect(client.send(RAW));
    expect(lines.some(({ text }) => text === 'AUTH PLAIN ***')).toBe(true);
    const everything = inspect([told, lines, client, told.error?.message, told.error?.stack], { depth: 12, showHidden: true }) + JSON.stringify([told, lines, client]);
    for (const form of ['open sesame', Buffer.from('open sesame').toString('base64'), Buffer.from('\0ann\0open sesame').toString('base64')]) expect(everything).not.toContain(form);
  });
});

describe('cancelling', () => {
  const stages = ['attempt-started', 'connected', 'greeted', 'introduced', 'secured', 'authenticated', 'ready', 'sender-accepted', 'recipient-accepted', 'progress'] as const;
  for (const stage of stages) {
    for (const pipelining of [true, false]) {
      it(`at ${stage}${pipelining ? '' : ' in lock-step'} leaves nothing behind`, async () => {
        await using server = await startServer({ users: USERS });
        await using client = clientOf(server, { security: ['starttls'], auth: AUTH, pipelining });
        async function* endless() { for (;;) { await Promise.resolve(); yield 'line\r\n'.repeat(5000); } }
        const seen = await new Promise<string[]>((resolve) => {
          const types: string[] = [];
          const subscription = client.send({ ...RAW, raw: endless() }).pipe(tap(({ type }) => types.push(type))).subscribe(({ type }) => {
            if (type === stage) queueMicrotask(() => { subscription.unsubscribe(); resolve(types); });
          });
        });
        const before = seen.length;
        await server.idle();
        expect(seen).toHaveLength(before);
        expect(server.messages).toHaveLength(0);
        expect(server.connections).toBe(0);
      });
    }
  }

  it('in the very moment in which the server waits for content says nothing that could be content', async () => {
    await using server = await startServer({ without: ['CHUNKING'] });
    await using client = clientOf(server, { security: ['none'] });
    await new Promise<void>((resolve) => {
      const subscription = client.send(RAW).subscribe(({ type }) => { if (type === 'recipient-accepted') { subscription.unsubscribe(); resolve(); } });
    });
    await server.idle();
    expect(server.sessions[0]?.lines.at(-1)).toMatch(/^S: 354/);
  });

  it('before it is begun, as operators do for who has left already, changes nothing', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const composed = { from: 'ann@example.com', to: 'bob@example.org', text: 'x' };
    await lastValueFrom(client.send(RAW));
    for (const mail of [RAW, composed]) await expect(lastValueFrom(forkJoin([throwError(() => new Error('left')), client.send(mail)]))).rejects.toThrow('left');
    expect((await collect(client.send(composed))).types[0]).toBe('ready');
    expect(server.messages).toHaveLength(2);
  });

  it('says QUIT where nothing is under way', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none'] });
    await new Promise<void>((resolve) => {
      const subscription = client.send(RAW).subscribe(({ type }) => { if (type === 'ready') { subscription.unsubscribe(); resolve(); } });
    });
    await server.idle();
    expect(server.sessions[0]?.lines).toContain('C: QUIT');
  });
});

describe('limits', () => {
  it('the whole operation has one that no reply resets', async () => {
    await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'mail', do: 'dribble', ms: 100, bytes: 1 }] });
    await using client = clientOf(server, { security: ['none'], timeouts: { operation: 500, quit: 50 } });
    const { error } = await collect(client.send(RAW));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', limit: 'operation', phase: 'mail', outcome: 'not-sent', retryable: true });
  });

  it('leaves nothing behind when it runs out, though nothing was answered', async () => {
    await using server = await startServer({ faults: [{ at: 'mail', do: 'silence' }] });
    const client = clientOf(server, { security: ['none'], timeouts: { operation: 500, quit: 50 } });
    expect((await collect(client.send({ from: 'ann@example.com', to: 'bob@example.org', text: 'Hi' }))).error).toMatchObject({ code: 'E_TIMEOUT', limit: 'operation' });
    await client.close();
    await server.idle();
    expect(server.connections).toBe(0);
  });
});

describe('verify and close', () => {
  it('verify completes after ready and says QUIT', async () => {
    await using server = await startServer({ users: USERS });
    await using client = clientOf(server, { security: ['starttls'], auth: AUTH });
    const events = await lastValueFrom(client.verify().pipe(toArray()));
    expect(events.at(-1)?.type).toBe('ready');
    await server.idle();
    expect(server.sessions[0]?.lines).toContain('C: QUIT');
  });

  it('close waits for a mail that is still being composed', async () => {
    await using server = await startServer();
    const client = clientOf(server, { security: ['none'] });
    const sending = collect(client.send({ from: 'ann@example.com', to: 'bob@example.org', text: 'Hi' }));
    await client.close();
    expect((await sending).types.at(-1)).toBe('accepted');
    expect(server.messages).toHaveLength(1);
  });

  it('a password that is a word of the protocol hides no offer', async () => {
    for (const pass of ['TLS', 'STARTTLS', 'AUTH', 'PLAIN', 'SIZE']) {
      await using server = await startServer({ users: { ann: pass }, mechanisms: ['PLAIN'] });
      await using client = clientOf(server, { security: 'auto', auth: { user: 'ann', pass }, allowInsecureAuth: true });
      expect((await collect(client.send(RAW))).error).toBeUndefined();
      expect(server.messages).toMatchObject([{ secure: true, user: 'ann' }]);
    }
  });

  it('a refusal for now says nothing of what is wrong with the mail', async () => {
    for (const at of ['mail', 'rcpt'] as const) {
      await using server = await startServer({ faults: [{ at, do: 'reply', reply: '450 4.2.0 greylisted' }] });
      await using client = clientOf(server, { security: ['none'] });
      expect((await collect(client.send(RAW))).error?.message).toMatch(/greylisted\. Send it again later\.$/);
    }
  });

  it('what is shown of the inside cannot change it', async () => {
    await using server = await startServer({ users: USERS });
    await using client = clientOf(server, { security: ['starttls'], auth: AUTH });
    const [plan] = client.plans;
    expect(() => { (plan as { security: string }).security = 'none'; }).toThrow(TypeError);
    (client.plans as unknown[]).push({});
    expect(client.plans).toHaveLength(1);
    for (let count = 0; count < 2; count += 1) {
      const told = await collect(client.send(RAW).pipe(tap((event) => {
        if (event.type === 'introduced') expect(() => (event.capabilities.authentication as string[]).pop()).toThrow(TypeError);
        if (event.type === 'ready') expect(() => (event.supportedAuthentication as string[]).pop()).toThrow(TypeError);
      })));
      expect(told.error).toBeUndefined();
    }
  });
});
