import { describe, expect, it } from 'vitest';
import { SmtpClient, SmtpFallbackError, type SecurityMode, type SmtpOptions } from '../../src/index.js';
import { otherCertificate, startServer, type Fault, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { collect, eventOf, type Told } from '../support/collect.js';
import { closedPort, listen } from '../support/listen.js';

// Waited for where a row is about silence; elsewhere it is long enough for a busy machine.
const GREETING = 400;
const PATIENT = { greeting: 10_000, quit: 200 };
const USERS = { ann: 'open sesame' };
const AUTH = { user: 'ann', pass: 'open sesame' };
// The order of 587: clear text is asked first.
const CLEAR_FIRST: readonly SecurityMode[] = ['starttls', 'implicit', 'none'];

const clientOf = (server: TestServer, options: Partial<SmtpOptions> = {}): SmtpClient =>
  new SmtpClient({ host: 'localhost', port: server.port, tls: { ca: server.ca }, timeouts: { greeting: GREETING, quit: 200 }, pool: false, ...options });

/** One line: each candidate with what came of it, as `-starttls E_TIMEOUT greeting` or `+implicit`. */
const story = ({ events, error }: Told): string =>
  events.flatMap((event, index) => {
    if (event.type === 'attempt-failed') return [`-${event.plan.security} ${event.error.code} ${event.error.phase}`];
    if (event.type !== 'ready') return [];
    const started = events.slice(0, index).filter(({ type }) => type === 'attempt-started').at(-1);
    return started?.type === 'attempt-started' ? [`+${started.plan.security}`] : [];
  }).concat(error === undefined ? [] : [error.code]).join(', ');

const silent: Fault = { at: 'greeting', do: 'silence', times: Infinity };

describe('one port, every kind of server', () => {
  const table: readonly (readonly [title: string, server: ServerOptions, security: NonNullable<SmtpOptions['security']>, story: string, connections: number])[] = [
    // An odd port: TLS is asked first, which is answered at once either way.
    ['implicit TLS, guessed right', { tls: 'implicit' }, 'auto', '+implicit', 1],
    ['STARTTLS, found at its greeting', { tls: 'starttls' }, 'auto', '-implicit E_TLS tls, +starttls', 2],
    ['clear text, on the connection of STARTTLS', { tls: 'none' }, 'auto', '-implicit E_TLS tls, -starttls E_PROTOCOL starttls, +none', 2],
    ['clear text, where it is not allowed', { tls: 'none' }, 'tls', '-implicit E_TLS tls, E_ALL_ATTEMPTS', 2],
    ['no SMTP at all', { faults: [silent] }, 'auto', '-implicit E_TIMEOUT tls, -starttls E_TIMEOUT greeting, E_ALL_ATTEMPTS', 2],
    ['implicit TLS that hangs up behind the handshake', { tls: 'implicit', faults: [{ at: 'greeting', do: 'close', times: Infinity }] }, 'auto', '-implicit E_CLOSED greeting, -starttls E_CLOSED greeting, E_ALL_ATTEMPTS', 1],
    ['implicit TLS that stays silent behind the handshake', { tls: 'implicit', faults: [silent] }, 'tls', '-implicit E_TIMEOUT greeting, E_ALL_ATTEMPTS', 1],
    // The order of 25, 587 and 2525.
    ['STARTTLS, guessed right', { tls: 'starttls' }, CLEAR_FIRST, '+starttls', 1],
    ['implicit TLS, rescued on the silent connection', { tls: 'implicit' }, CLEAR_FIRST, '-starttls E_TIMEOUT greeting, +implicit', 1],
    ['clear text, without a handshake', { tls: 'none' }, CLEAR_FIRST, '-starttls E_PROTOCOL starttls, -implicit E_TLS tls, +none', 1],
    ['silence, whatever is asked', { faults: [silent] }, CLEAR_FIRST, '-starttls E_TIMEOUT greeting, -implicit E_TIMEOUT tls, E_ALL_ATTEMPTS', 1],
    ['a greeting after its time, met by a handshake', { tls: 'implicit', faults: [{ at: 'tls', do: 'reply', reply: '220 at last' }] }, CLEAR_FIRST, '-starttls E_TIMEOUT greeting, -implicit E_TLS tls, E_ALL_ATTEMPTS', 1],
    ['a greeting that never ends', { faults: [{ at: 'greeting', do: 'dribble', ms: GREETING, bytes: 5, times: Infinity }] }, CLEAR_FIRST, '-starttls E_TIMEOUT greeting, -implicit E_TLS tls, E_ALL_ATTEMPTS', 1],
    ['HELO and no more', { tls: 'none', faults: [{ at: 'ehlo', do: 'reply', reply: '502 5.5.1 what?', times: Infinity }] }, CLEAR_FIRST, '-starttls E_REPLY hello, -implicit E_TLS tls, +none', 1],
    ['no EHLO, and an end', { tls: 'none', faults: [{ at: 'ehlo', do: 'close', reply: '502 5.7.1 blocked', times: Infinity }] }, CLEAR_FIRST, '-starttls E_REPLY hello, -implicit E_TLS tls, E_REPLY', 1],
    ['a greeting that refuses', { faults: [{ at: 'greeting', do: 'reply', reply: '554 5.3.2 not here' }] }, CLEAR_FIRST, 'E_REPLY', 1],
    ['STARTTLS that is offered and refused', { faults: [{ at: 'starttls', do: 'reply', reply: '454 4.7.0 not now' }] }, CLEAR_FIRST, 'E_REPLY', 1],
    ['STARTTLS that is offered and answered with what is no reply', { faults: [{ at: 'starttls', do: 'reply', reply: '22x' }] }, CLEAR_FIRST, 'E_PROTOCOL', 1],
    ['a certificate for another host', { tls: 'implicit', ...otherCertificate }, CLEAR_FIRST, '-starttls E_TIMEOUT greeting, E_CERTIFICATE', 1],
  ];
  for (const [title, options, security, expected, connections] of table) {
    it(`${title}: ${expected}`, async () => {
      await using server = await startServer(options);
      await using client = clientOf(server, { security, ...(expected.includes('E_TIMEOUT') ? {} : { timeouts: PATIENT }) });
      const told = await collect(client.verify());
      expect(story(told)).toBe(expected);
      expect(server.sessions).toHaveLength(connections);
      await client.close();
      await server.idle();
      expect(server.connections).toBe(0);
    });
  }
});

describe('a connection that is shared', () => {
  it('tells nothing twice: the candidate goes on where the one before stopped', async () => {
    await using server = await startServer({ tls: 'none' });
    await using client = clientOf(server, { security: CLEAR_FIRST, timeouts: PATIENT });
    const { types } = await collect(client.verify());
    expect(types).toEqual(['attempt-started', 'connected', 'greeted', 'introduced', 'attempt-failed', 'attempt-started', 'attempt-failed', 'attempt-started', 'ready']);
    await client.close();
    expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: '))).toEqual([expect.stringMatching(/^C: EHLO /), 'C: QUIT']);
  });

  it('goes on with HELO where EHLO was not known', async () => {
    await using server = await startServer({ tls: 'none', faults: [{ at: 'ehlo', do: 'reply', reply: '502 5.5.1 what?' }] });
    await using client = clientOf(server, { security: ['starttls', 'none'], timeouts: PATIENT, clientName: 'me.example' });
    await collect(client.verify());
    await client.close();
    expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: '))).toEqual(['C: EHLO me.example', 'C: HELO me.example', 'C: QUIT']);
  });

  it('greets once, over TLS, when it was rescued', async () => {
    await using server = await startServer({ tls: 'implicit', users: USERS });
    await using client = clientOf(server, { security: CLEAR_FIRST, auth: AUTH });
    const { types } = await collect(client.verify());
    expect(types).toEqual(['attempt-started', 'connected', 'attempt-failed', 'attempt-started', 'secured', 'greeted', 'introduced', 'authenticated', 'ready']);
  });

  it('is left at once by unsubscribing, while it waits for its next candidate', async () => {
    await using server = await startServer({ tls: 'none' });
    await using client = clientOf(server, { security: CLEAR_FIRST, timeouts: PATIENT });
    await new Promise<void>((resolve) => {
      const subscription = client.verify().subscribe({ next: (event) => { if (event.type === 'attempt-failed') { subscription.unsubscribe(); resolve(); } } });
    });
    await server.idle();
    expect(server.sessions).toHaveLength(1);
    expect(server.sessions[0]?.lines.at(-1)).toMatch(/QUIT|221/);
  });

  it('is replaced where the server gave it up meanwhile', async () => {
    // Stands for a server with implicit TLS that hangs up as soon as the handshake begins on a connection it has tired of.
    await using server = await startServer({ tls: 'implicit', faults: [{ at: 'tls', do: 'reset', session: 1 }] });
    await using client = clientOf(server, { security: CLEAR_FIRST });
    expect(story(await collect(client.verify()))).toBe('-starttls E_TIMEOUT greeting, +implicit');
    expect(server.sessions).toHaveLength(2);
  });
});

describe('what the client remembers', () => {
  it('tries first what opened before', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: 'auto', timeouts: PATIENT });
    expect(client.plans.map(({ security }) => security)).toEqual(['implicit', 'starttls', 'none']);
    await collect(client.verify());
    expect(client.plans.map(({ security }) => security)).toEqual(['starttls', 'implicit', 'none']);
    expect(story(await collect(client.verify()))).toBe('+starttls');
    expect(server.sessions).toHaveLength(3);
  });

  it('asks STARTTLS again before clear text, on one connection', async () => {
    await using server = await startServer({ tls: 'none' });
    await using client = clientOf(server, { security: 'auto', timeouts: PATIENT });
    await collect(client.verify());
    expect(story(await collect(client.verify()))).toBe('-starttls E_PROTOCOL starttls, -implicit E_TLS tls, +none');
    expect(server.sessions).toHaveLength(3);
  });

  it('never uses clear text again where TLS was met, and says so', async () => {
    const first = await startServer({ users: USERS });
    await using client = clientOf(first, { security: 'auto', auth: AUTH, timeouts: PATIENT });
    await collect(client.verify());
    await first.close();
    await using stripped = await startServer({ port: first.port, users: USERS, tls: 'none' });
    const { error } = await collect(client.verify());
    expect(error).toBeInstanceOf(SmtpFallbackError);
    expect((error as SmtpFallbackError).attempts.at(-1)).toMatchObject({ plan: { security: 'none' }, error: { reason: 'tls-was-met' } });
    expect(stripped.sessions.flatMap(({ lines }) => lines).filter((line) => /^C: (?:AUTH|MAIL)/.test(line))).toEqual([]);
  });

  it('uses clear text where a server that has no TLS hung up on the try before', async () => {
    await using server = await startServer({ tls: 'none', faults: [{ at: 'ehlo', do: 'close', session: 2 }] });
    await using client = clientOf(server, { security: 'auto', timeouts: PATIENT });
    expect(story(await collect(client.verify()))).toBe('-implicit E_TLS tls, E_CLOSED');
    expect(story(await collect(client.verify()))).toBe('-implicit E_TLS tls, -starttls E_PROTOCOL starttls, +none');
  });

  it('says nothing in clear text to a server that has just offered STARTTLS', async () => {
    await using server = await startServer({ users: USERS });
    await using client = clientOf(server, { security: ['implicit', 'none'], auth: AUTH, timeouts: PATIENT });
    expect(story(await collect(client.verify()))).toBe('-implicit E_TLS tls, E_ALL_ATTEMPTS');
    await client.close();
    expect(server.sessions.at(-1)?.lines.filter((line) => line.startsWith('C: '))).toEqual([expect.stringMatching(/^C: EHLO /), 'C: QUIT']);
  });

  it('keeps to clear text where that is asked for by name', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none', 'implicit'], timeouts: PATIENT });
    for (let connection = 0; connection < 2; connection += 1) expect(story(await collect(client.verify()))).toBe('+none');
  });
});

describe('a staggered race', () => {
  const STAGGER = 50;
  // Never reached: what comes first decides.
  const FAR = 8_000;

  it('finds implicit TLS behind a silent port in a step and a handshake, whatever the greeting timeout', async () => {
    await using server = await startServer({ tls: 'implicit', users: USERS });
    await using client = clientOf(server, { security: CLEAR_FIRST, auth: AUTH, stagger: STAGGER, timeouts: PATIENT });
    const { types } = await collect(client.verify());
    expect(types).toEqual(['attempt-started', 'attempt-started', 'connected', 'secured', 'greeted', 'introduced', 'authenticated', 'ready']);
    expect(server.sessions).toHaveLength(2);
    await client.close();
    await server.idle();
    expect(server.sessions.flatMap(({ lines }) => lines).filter((line) => line.startsWith('C: AUTH'))).toHaveLength(1);
  });

  it('opens one connection where the first guess is right', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: CLEAR_FIRST, stagger: FAR, timeouts: PATIENT });
    expect(story(await collect(client.verify()))).toBe('+starttls');
    expect(server.sessions).toHaveLength(1);
  });

  it('goes on in turn where the winner turns out to be the wrong door', async () => {
    await using server = await startServer({ tls: 'none' });
    await using client = clientOf(server, { security: CLEAR_FIRST, stagger: FAR, timeouts: PATIENT });
    expect(story(await collect(client.verify()))).toBe('-starttls E_PROTOCOL starttls, -implicit E_TLS tls, +none');
    expect(server.sessions).toHaveLength(1);
  });

  it('ends with a bad certificate, and leaves nothing behind', async () => {
    await using server = await startServer({ tls: 'implicit', ...otherCertificate });
    await using client = clientOf(server, { security: CLEAR_FIRST, stagger: STAGGER, timeouts: PATIENT });
    expect(story(await collect(client.verify()))).toBe('E_CERTIFICATE');
    await client.close();
    await server.idle();
    expect(server.connections).toBe(0);
  });

  it('says nothing on the connections that lost but a handshake', async () => {
    await using server = await startServer({ tls: 'implicit' });
    await using client = clientOf(server, { security: CLEAR_FIRST, stagger: STAGGER, timeouts: PATIENT });
    await collect(client.verify());
    await client.close();
    await server.idle();
    expect(server.sessions[0]?.received).toHaveLength(0);
  });

  it('is cancelled with every connection in it', async () => {
    await using server = await startServer({ faults: [silent] });
    await using client = clientOf(server, { security: CLEAR_FIRST, stagger: 1, timeouts: PATIENT });
    const started = new Promise<void>((resolve) => {
      let count = 0;
      const subscription = client.verify().subscribe((event) => {
        if (event.type === 'attempt-started') count += 1;
        if (count === 2) { subscription.unsubscribe(); resolve(); }
      });
    });
    await started;
    await client.close();
    await server.idle();
    expect(server.connections).toBe(0);
  });
});

describe('a port that cannot be reached', () => {
  it('is asked once for all of its candidates', async () => {
    const port = await closedPort();
    let lookups = 0;
    await using client = new SmtpClient({
      host: 'mail.example', port, security: 'auto',
      lookup: (_host, _options, found) => { lookups += 1; found(null, [{ address: '127.0.0.1', family: 4 }]); },
    });
    const told = await collect(client.verify());
    expect(story(told)).toBe('-implicit E_CONNECT connect, -starttls E_CONNECT connect, E_ALL_ATTEMPTS');
    expect(lookups).toBe(1);
    expect(told.error?.message).toMatch(/implicit TLS.*STARTTLS.*clear text.*"port" and "security"/);
    expect(eventOf(told, 'attempt-failed').error.message).toContain(`127.0.0.1: ECONNREFUSED`);
  });

  it('is asked for once where a proxy does not let through to it', async () => {
    let asked = 0;
    await using proxy = await listen((socket) => {
      asked += 1;
      socket.once('data', () => { socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'); });
    });
    await using client = new SmtpClient({ host: 'mail.example', port: 2526, security: 'auto', proxy: `http://127.0.0.1:${proxy.port}` });
    expect(story(await collect(client.verify()))).toBe('-implicit E_PROXY proxy, -starttls E_PROXY proxy, E_ALL_ATTEMPTS');
    expect(asked).toBe(1);
  });
});
