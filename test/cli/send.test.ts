import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer, testAuthority, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { cli, keyboard, type Run, type World } from '../support/cli.js';
import { file, folder } from '../support/files.js';

const PASSWORD = 'open sesame';
const RAW = 'Message-ID: <1@example.com>\r\nSubject: finished\r\n\r\n.A dot\r\n';

const CA = file('ca.pem', testAuthority);
const NO_CA = file('no-ca.pem', 'root:x:0:0');

/** Sends through a server of its own: Ann to Bob over STARTTLS, unless the flags say more. */
const send = async (flags: readonly string[], { user = '', ...options }: ServerOptions & { readonly user?: string } = {}, world: World = {}): Promise<Run & { readonly server: TestServer }> => {
  await using server = await startServer(options);
  const url = `smtp://${user === '' ? '' : `${user}@`}localhost:${server.port}`;
  const ran = await cli(['send', '--server', url, '--security', 'starttls', '--ca', CA, '--from', 'ann@example.com', '--to', 'bob@example.org', ...flags], world);
  await server.idle();
  return { ...ran, server };
};

describe('rxsmtp send', () => {
  it('sends a text and shows the events', async () => {
    const { code, stdout, stderr, server } = await send(['--subject', 'Hello', '--text', 'Hi Bob']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(Array.from(stdout.matchAll(/^ *\d+ ms {2}([a-z-]+)/gm), ([, type]) => type)).toEqual(
      ['attempt-started', 'connected', 'greeted', 'introduced', 'secured', 'introduced', 'ready', 'sender-accepted', 'recipient-accepted', 'accepted']);
    expect(stdout).toMatch(/^accepted for bob@example\.org as <.+@example\.com>$/m);
    expect(server.messages[0]?.content.toString()).toMatch(/^Subject: Hello\r$[^]*Hi Bob/m);
  });

  it('sends HTML and attachments, which are streamed', async () => {
    const { code, server } = await send(['--html', '<b>Hi</b>', '--attach', file('a.txt', 'first'), '--attach', file('b.bin', 'second')]);
    expect(code).toBe(0);
    const content = server.messages[0]?.content.toString() ?? '';
    for (const part of ['<b>Hi</b>', 'filename=a.txt', 'filename=b.bin', Buffer.from('second').toString('base64')]) expect(content).toContain(part);
  });

  it.each([['a file', file('mail.eml', RAW), {}], ['stdin', '-', { stdin: RAW }]] as const)('sends a finished message from %s as it is', async (_, source, world) => {
    const { code, server } = await send(['--raw', source], {}, world);
    expect(code).toBe(0);
    expect(server.messages[0]?.content.toString()).toBe(RAW);
  });

  it.each([['a file', file('empty.eml', ''), {}], ['stdin', '-', { stdin: new PassThrough().end() }]] as const)('sends an empty message from %s as well', async (_, source, world) => {
    const { code, server } = await send(['--raw', source], {}, world);
    expect([code, server.messages.map(({ content }) => content.toString())]).toEqual([0, ['']]);
  });

  it.each(['text', 'html'])('takes its %s from stdin', async (part) => {
    const { code, server } = await send(['--subject', 'alarm', `--${part}`, '-'], {}, { stdin: 'Grüße von unten\n' });
    expect(code).toBe(0);
    expect(server.messages[0]?.content.toString()).toMatch(new RegExp(`^Content-Type: text/${part === 'text' ? 'plain' : 'html'}[^]*Gr=C3=BC=C3=9Fe von unten`, 'm'));
  });

  it('takes the addresses of a finished message from beside their display names', async () => {
    const config = { host: 'localhost', security: 'starttls', tls: { ca: testAuthority }, from: 'Ann <ann@example.com>' };
    await using server = await startServer();
    const { code, stderr } = await cli(['send', '--config', file('named.json', JSON.stringify({ ...config, port: server.port })), '--to', '"Bob, B." <bob@example.org>', '--cc', 'postmaster', '--raw', file('mail.eml', RAW)]);
    expect([code, stderr]).toEqual([0, '']);
    expect(server.messages[0]).toMatchObject({ from: 'ann@example.com', to: ['bob@example.org', 'postmaster'] });
  });

  it('takes <> for the empty sender of a finished message', async () => {
    await using server = await startServer({ tls: 'none' });
    const { code } = await cli(['send', '--server', `smtp://localhost:${server.port}`, '--security', 'none', '--from', '<>', '--to', 'bob@example.org', '--raw', file('mail.eml', RAW)]);
    expect([code, server.messages[0]?.from]).toEqual([0, '']);
  });

  it('tells who does not have it when a part of the recipients failed, and does not call that a success', async () => {
    const { code, stderr, stdout } = await send(['--to', 'nobody@example.org', '--to', 'carol@example.org', '--cc', 'dave@example.org', '--bcc', 'eve@example.org', '--text', 'Hi'], {
      limits: { recipients: 1 }, faults: [{ at: 'end-of-data', skip: 1, do: 'close' }], onRecipient: (path) => (path.startsWith('nobody') ? '550 5.1.1 No such user' : undefined),
    });
    expect(code).toBe(3);
    expect(stdout + stderr).toContain('accepted for 1 of 5 recipients');
    expect((stdout + stderr).match(/^(?:refused for|not sent to|unknown for) .*$/gm)).toEqual(['refused for nobody@example.org: 550 5.1.1 No such user', 'not sent to dave@example.org', 'not sent to eve@example.org', 'unknown for carol@example.org']);
  });

  it('tells by another code that a part of the recipients is known not to have it', async () => {
    const { code, stderr } = await send(['--to', 'carol@example.org', '--text', 'Hi'], {
      limits: { recipients: 1, mails: 1 }, faults: [{ at: 'greeting', session: 2, do: 'reply', reply: '421 4.7.0 Too many connections' }],
    });
    expect(code).toBe(4);
    expect(stderr.match(/^(?:not sent to|unknown for) .*$/gm)).toEqual(['not sent to carol@example.org']);
  });

  it('tells who got it and who was refused', async () => {
    const { code, stderr, server } = await send(['--to', 'nobody@example.org', '--cc', 'carol@example.org', '--bcc', 'dave@example.org', '--text', 'Hi'], {
      onRecipient: (path) => (path.startsWith('nobody') ? '550 5.1.1 No such user' : undefined),
    });
    expect(code).toBe(4);
    expect(stderr).toMatch(/^accepted for bob@example\.org, carol@example\.org, dave@example\.org/m);
    expect(stderr).toMatch(/^refused for nobody@example\.org: 550 5\.1\.1 No such user$/m);
    expect(server.messages[0]?.content.toString()).not.toContain('dave@');
  });
});

describe('the exit code', () => {
  const rows: readonly (readonly [code: number, what: string, options: ServerOptions, text: RegExp])[] = [
    [0, 'accepted', {}, /^$/],
    [1, 'not sent', { faults: [{ at: 'mail', do: 'close' }] }, /^not-sent \(E_CLOSED, mail\).*\nThe mail was not sent\. A retry is safe\.$/m],
    [2, 'refused for good', { onRecipient: () => '550 5.1.1 No such user' }, /^refused \(E_REPLY, rcpt\).*\nThe server refused\.$/m],
    [2, 'refused for now', { onMessage: () => '451 4.3.0 Later' }, /^refused \(E_REPLY, end-of-data\).*\nThe server refused\. A retry is safe\.$/m],
    [3, 'unknown', { faults: [{ at: 'end-of-data', do: 'close' }] }, /^unknown \(E_CLOSED, end-of-data\).*\nThe server may have the mail or not: sending again may deliver it twice\.$/m],
  ];
  it.each(rows)('is %d: %s', async (expected, _, options, text) => {
    const { code, stderr } = await send(['--text', 'Hi'], options);
    expect(code).toBe(expected);
    expect(stderr).toMatch(text);
  });

  const mistakes: readonly (readonly [what: string, flags: readonly string[], text: RegExp])[] = [
    ['no server', ['--from', 'a@example.com', '--to', 'b@example.org'], /Give the server: --server/],
    ['no sender', ['--server', 'smtp://localhost', '--to', 'b@example.org'], /Give the sender: --from/],
    ['no recipient', ['--server', 'smtp://localhost', '--from', 'a@example.com'], /Give a recipient: --to/],
    ['an unknown flag', ['--sbject', 'x'], /--sbject/],
    ['a word too many', ['word'], /There is a word too many/],
    ['no URL', ['--server', 'mail', '--from', 'a@example.com', '--to', 'b@example.org'], /--server is no URL/],
    ['another scheme', ['--server', 'http://localhost', '--from', 'a@example.com', '--to', 'b@example.org'], /smtp:\/\//],
    ['a security that is none', ['--server', 'smtp://localhost', '--security', 'ssl', '--from', 'a@example.com', '--to', 'b@example.org'], /"security" must be "auto" or "tls" or "implicit"/],
    ['a file without a certificate', ['--server', 'smtp://localhost', '--ca', NO_CA, '--from', 'a@example.com', '--to', 'b@example.org'], /^rxsmtp: .*--ca: the file .*no-ca\.pem holds no certificate/m],
    ['a limit that is none', ['--server', 'smtp://localhost', '--timeout', '0', '--from', 'a@example.com', '--to', 'b@example.org'], /--timeout is a number of milliseconds above zero/],
    ['a file that is not there', ['--server', 'smtp://localhost', '--from', 'a@example.com', '--to', 'b@example.org', '--attach', join(folder, 'none')], /A file cannot be read/],
    ['--raw with --text', ['--server', 'smtp://localhost', '--from', 'a@example.com', '--to', 'b@example.org', '--raw', '-', '--text', 'x'], /--raw brings its own header/],
    ['stdin twice', ['--server', 'smtp://localhost', '--from', 'a@example.com', '--to', 'b@example.org', '--text', '-', '--html', '-'], /--text and --html cannot both be stdin/],
    ['a text twice', ['--text', 'Hi', '--text', 'Hi again'], /^rxsmtp: .*--text is given twice: leave one/m],
    ['a password for nobody', ['--server', 'smtp://localhost', '--password-file', NO_CA, '--from', 'a@example.com', '--to', 'b@example.org'], /--password-file needs a user, and --server names none/],
    ['an address that is two', ['--server', 'smtp://localhost', '--from', 'a@example.com', '--to', 'b@example.org>\r\nRCPT TO:<eve@example.org'], /line break|address/],
  ];
  it.each(mistakes)('is 64: %s', async (_, flags, text) => {
    const { code, stdout, stderr } = await cli(['send', ...(flags.includes('--text') ? [] : ['--text', 'Hi']), ...flags]);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(text);
  });

  it.for(['--attach', '--raw'])('is 64: a file for %s that may not be read', async (flag, { skip }) => {
    const path = file(`secret${flag}`, RAW);
    chmodSync(path, 0);
    // The administrator may read anything, and must be somebody else, who may not be there in a container.
    if (process.getuid?.() === 0) {
      chmodSync(folder, 0o755);
      try { process.seteuid?.(65_534); } catch { skip(); }
      onTestFinished(() => { process.seteuid?.(0); });
    }
    const { code, stdout, stderr } = await send([flag, path]);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/A file cannot be read: .*EACCES/);
  });

  it('is 64: no content', async () => {
    const { code, stderr, server } = await send(['--subject', 'alarm'], {}, { stdin: 'The disk is full.\n' });
    expect([code, server.messages]).toEqual([64, []]);
    expect(stderr).toContain('The mail has no content. Give --text');
  });
});

describe('a password', () => {
  const users = { ann: PASSWORD };
  const sources: readonly (readonly [from: string, flags: readonly string[], world: World])[] = [
    ['a file', ['--password-file', file('password', `${PASSWORD}\n`)], {}],
    ['the environment', [], { env: { RXSMTP_PASSWORD: PASSWORD } }],
    ['the keyboard', [], { stdin: keyboard(`${PASSWORD}\r`), isTTY: true }],
  ];
  it.each(sources)('comes from %s, and is shown nowhere', async (_, flags, world) => {
    const { code, stdout, stderr, server } = await send(['--text', 'Hi', '--verbose', ...flags], { user: 'ann', users, mechanisms: ['PLAIN'] }, world);
    expect(code).toBe(0);
    expect(server.messages[0]?.user).toBe('ann');
    expect(stderr).toContain('AUTH PLAIN ***');
    for (const form of [PASSWORD, Buffer.from(PASSWORD).toString('base64'), Buffer.from(`\0ann\0${PASSWORD}`).toString('base64')]) expect(stdout + stderr).not.toContain(form);
  });

  it('that is wrong is refused, and not shown', async () => {
    const { code, stdout, stderr } = await send(['--text', 'Hi', '--verbose'], { user: 'ann', users }, { env: { RXSMTP_PASSWORD: 'wrong word' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^refused \(E_AUTH, auth\)/m);
    expect(stdout + stderr).not.toContain('wrong word');
  });

  const leaks: readonly (readonly [where: string, argv: readonly string[]])[] = [
    ['--password', ['send', '--password', PASSWORD]],
    ['--pass=', ['verify', `--pass=${PASSWORD}`]],
    ['the URL', ['send', '--server', 'smtp://ann:open%20sesame@localhost', '--from', 'a@example.com', '--to', 'b@example.org']],
    ['the query of the URL', ['verify', '--server', 'smtp://localhost?password=open%20sesame']],
    ['a proxy in the query', ['verify', '--server', 'smtp://localhost?proxy=socks5://u:open%20sesame@proxy']],
    ['the place of the command', ['smtp://ann:open%20sesame@localhost']],
  ];
  it.each(leaks)('in %s is refused without repeating it', async (_, argv) => {
    const { code, stdout, stderr } = await cli(argv);
    expect(code).toBe(64);
    expect(stderr).not.toBe('');
    expect(stdout + stderr).not.toMatch(/sesame/);
  });

  it.each(['--text', '--html', '--raw'])('is not asked for where %s - reads what is typed', async (flag) => {
    const { code, stdout, stderr } = await send([flag, '-'], { user: 'ann', users }, { stdin: keyboard('Hi\r'), isTTY: true });
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^rxsmtp: .*use --password-file or RXSMTP_PASSWORD\.$/m);
    expect(stderr).not.toContain('Password for');
  });

  it('is asked for by a line that no user can forge', async () => {
    const { stderr } = await cli(['verify', '--server', 'smtp://%1b%5b2Kann%40bank.example@localhost'], { stdin: keyboard('hunter2\r'), isTTY: true });
    expect(stderr).toMatch(/^Password for \\u\{1b\}\[2Kann@bank\.example: $/m);
  });

  it('that nobody can give is asked for', async () => {
    const { code, stderr } = await cli(['verify', '--server', 'smtp://ann@localhost']);
    expect(code).toBe(64);
    expect(stderr).toContain('--password-file');
  });
});

describe('Ctrl-C', () => {
  it('before the content has left: not sent', async () => {
    const { code, stderr, server } = await send(['--text', 'Hi'], { faults: [{ at: 'mail', do: 'silence' }] }, { interruptAt: / ready / });
    expect(code).toBe(1);
    expect(stderr).toContain('not-sent (interrupted)');
    expect(server.messages).toEqual([]);
  });

  it('inside the content: not sent, and nothing is accepted', async () => {
    function* endless() { for (;;) yield Buffer.from('line\r\n'.repeat(10_000)); }
    const { code, stderr, server } = await send(['--raw', '-'], { size: 0 }, { stdin: Readable.from(endless()), isTTY: true, interruptAt: / [kM]B/ });
    expect(code).toBe(1);
    expect(stderr).toContain('not-sent (interrupted)');
    expect(server.messages).toEqual([]);
  });

  it('behind the content: unknown', async () => {
    const { code, stderr } = await send(['--text', 'Hi', '--verbose'], { faults: [{ at: 'end-of-data', do: 'silence' }] }, { interruptAt: /bytes of content/ });
    expect(code).toBe(3);
    expect(stderr).toContain('unknown (interrupted): The server may have the mail or not');
  });

  it('behind the verdict: changes nothing', async () => {
    const { code, stderr, server } = await send(['--text', 'Hi'], { faults: [{ at: 'quit', do: 'delay', ms: 50 }] }, { interruptAt: /accepted for/ });
    expect([code, stderr, server.messages.length]).toEqual([0, '', 1]);
  });
});
