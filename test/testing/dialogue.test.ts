import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { startServer, type FaultAction, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { clientOf, MAIL as SMALL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

const HELLO = 'EHLO me';
const MAIL = 'MAIL FROM:<ann@example.com>';
const RCPT = 'RCPT TO:<bob@example.org>';

/** What the server says to these lines, in one write, from a client that then leaves. */
const replies = async (server: TestServer, ...lines: readonly string[]): Promise<readonly string[]> => {
  const socket = connect(server.port, server.host).resume().on('error', () => { /* A reset is one of the ends. */ });
  await once(socket, 'connect');
  socket.end(`${lines.join('\r\n')}\r\n`);
  await server.idle();
  return (server.sessions.at(-1)?.lines ?? []).filter((line) => /^S: ...(?: (?!test|SIZE))/.test(line) && !line.startsWith('S: 220 test')).map((line) => line.slice('S: '.length));
};

const clear = (options: ServerOptions): Promise<TestServer> => startServer({ tls: 'none', ...options });

describe('the dialogue of the server for tests', () => {
  it.each<FaultAction>([
    { do: 'close' }, { do: 'reset' }, { do: 'half-close' }, { do: 'silence' }, { do: 'stall', ms: 1 }, { do: 'garbage' }, { do: 'close', reply: '421 4.3.2 Bye' },
  ])('keeps a fault for a connection that can still speak: not behind %o', async (action) => {
    const refusal = { at: 'rcpt', do: 'reply', reply: '550 5.1.1 no' } as const;
    const asked: string[] = [];
    await using server = await clear({ faults: [{ at: 'mail', ...action }, refusal], onRecipient: (path) => { asked.push(path); return undefined; } });
    expect(await replies(server, HELLO, MAIL, RCPT, 'BDAT 4 LAST', 'Hi')).toEqual('reply' in action ? [action.reply] : []);
    expect(server.unstruck).toEqual([refusal]);
    expect(asked).toEqual([]);
    expect(await replies(server, HELLO, MAIL, RCPT)).toEqual(['250 2.1.0 Ok', '550 5.1.1 no']);
  });

  it.each<[line: string, options: ServerOptions]>([
    ['STARTTLS', { tls: 'starttls', without: ['STARTTLS'] }],
    ['AUTH PLAIN', { users: { ann: 'secret' }, without: ['AUTH'] }],
    ['AUTH X', { signIn: { X: () => Promise.resolve('ann') }, without: ['AUTH'] }],
  ])('neither offers nor knows %s with %o', async (line, options) => {
    await using server = await clear(options);
    expect(await replies(server, HELLO, line)).toEqual(['500 5.5.2 Unknown command']);
  });

  it('keeps a fault for a mail that it can answer, and takes the one behind its farewell', async () => {
    await using server = await clear({ without: ['CHUNKING'], faults: [{ at: 'end-of-data', do: 'reset' }] });
    const socket = connect(server.port, server.host).resume();
    socket.write([HELLO, MAIL, RCPT, 'DATA', 'Hi', ''].join('\r\n'));
    await expect.poll(() => server.sessions[0]?.received.toString().endsWith('Hi\r\n')).toBe(true);
    server.disconnect('421 4.3.2 Bye');
    socket.end('.\r\n');
    await server.idle();
    expect(server.messages).toHaveLength(1);
    expect(server.unstruck).toHaveLength(1);
  });

  it.each([[['CHUNKING']], [[]]])('skips a mail once, in however many pieces it comes, without %j', async (without) => {
    await using server = await clear({ without, faults: [{ at: 'body', skip: 1, do: 'reply', reply: '452 4.3.1 Enough' }] });
    await using client = clientOf(server);
    const send = async (): Promise<string> => (await collect(client.send({ ...SMALL, raw: 'Hi\r\n'.repeat(100_000) }))).error?.outcome ?? 'accepted';
    expect([await send(), await send(), await send()]).toEqual(['accepted', 'refused', 'accepted']);
  });

  it('forgets at STARTTLS what it was told before', async () => {
    const AUTH = `AUTH PLAIN ${Buffer.from('\0ann\0secret').toString('base64')}`;
    await using server = await startServer({ users: { ann: 'secret' }, limits: { mails: 1 } });
    const heard: string[] = [];
    const socket = connect(server.port, server.host).on('data', (data) => { heard.push(data.toString()); });
    socket.write([HELLO, AUTH, MAIL, 'STARTTLS', ''].join('\r\n'));
    await expect.poll(() => heard.join('')).toContain('220 2.0.0 Go ahead');
    connectTls({ socket, ca: server.ca, servername: 'localhost' }).resume().end([RCPT, HELLO, AUTH, MAIL, ''].join('\r\n'));
    await server.idle();
    const lines = server.sessions[0]?.lines ?? [];
    expect(lines.slice(lines.indexOf('S: 220 2.0.0 Go ahead') + 1).filter((line) => /^S: \d\d\d \d\./.test(line))).toEqual(['S: 503 5.5.1 MAIL first', 'S: 235 2.7.0 Welcome', 'S: 250 2.1.0 Ok']);
  });

  it.each(['end', 'destroy'] as const)('ends with a client that leaves by %s() a sign-in that does not end', async (leave) => {
    const server = await clear({ signIn: { X: () => new Promise(() => { /* Never. */ }) } });
    const socket = connect(server.port, server.host).resume();
    socket.write('AUTH X\r\n');
    await expect.poll(() => server.sessions[0]?.lines).toContain('C: AUTH X');
    socket[leave]();
    await server.idle();
    expect(server.sessions[0]?.lines.at(-1)).toBe('C: AUTH X');
    await server.close();
  });

  it.each<[line: string, at: 'quit' | 'mail', action: FaultAction]>([
    ['QUIT', 'quit', { do: 'silence' }], ['QUIT', 'quit', { do: 'garbage' }], ['QUIT', 'quit', { do: 'stall', ms: 1 }], [MAIL, 'mail', { do: 'silence' }],
  ])('does not hang up behind the %s that it leaves unanswered at %s by %o', async (line, at, action) => {
    const server = await clear({ limits: { mails: 0 }, faults: [{ at, ...action }] });
    const socket = connect(server.port, server.host).resume();
    // An end would overtake what is said behind it.
    for (const said of [HELLO, line, 'NOOP', 'RSET']) {
      socket.write(`${said}\r\n`);
      await expect.poll(() => server.sessions[0]?.lines).toContain(`C: ${said}`);
    }
    await server.close();
    if (!socket.closed) await once(socket, 'close');
  });

  it('resets the connection behind a reply that arrives', async () => {
    await using server = await clear({ faults: [{ at: 'noop', do: 'reset', reply: '421 4.3.2 Bye' }] });
    const told: string[] = [];
    const socket = connect(server.port, server.host, () => { socket.write('NOOP\r\n'); });
    socket.on('data', (data) => { told.push(data.toString()); }).on('end', () => { told.push('end'); }).on('error', (error) => { told.push((error as NodeJS.ErrnoException).code ?? ''); });
    await once(socket, 'close').catch(() => undefined);
    await server.idle();
    expect(told.slice(-2)).toEqual(['421 4.3.2 Bye\r\n', 'ECONNRESET']);
  });

  it('lists no reply that its farewell overtook', async () => {
    await using server = await clear({ faults: [{ at: 'noop', do: 'delay', ms: 20 }] });
    const socket = connect({ port: server.port, host: server.host, allowHalfOpen: true }).resume();
    socket.write('NOOP\r\n');
    await expect.poll(() => server.sessions[0]?.lines).toContain('C: NOOP');
    server.disconnect('421 4.3.2 Bye');
    socket.end('QUIT\r\n');
    await server.idle();
    expect(server.sessions[0]?.lines).toEqual(['S: 220 test.example ESMTP ready', 'C: NOOP', 'S: 421 4.3.2 Bye', 'C: QUIT']);
  });
});
