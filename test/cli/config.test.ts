import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pin } from '../../src/cli/pin.js';
import { loadOptions } from '../../src/config/index.js';
import { SmtpClient, type ConnectEvent } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { cli } from '../support/cli.js';
import { GRANTED, startProxy } from '../support/fake-proxy.js';
import { file, folder } from '../support/files.js';

const appConfig = (port: number): string => file('app.config', `<?xml version="1.0"?>
<configuration><system.net><mailSettings><smtp from="ann@example.com">
  <network host="localhost" port="${port}" userName="ann" password="\${MAIL_PASSWORD}" enableSsl="true"/>
</smtp></mailSettings></system.net></configuration>`);

const USERS = { ann: 'open sesame' };
const ENV = { MAIL_PASSWORD: 'open sesame' };

describe('verify --config', () => {
  it('shows the plan, each step with its time, how one may sign in, and what to pin', async () => {
    await using server = await startServer({ users: USERS });
    const { code, stdout, stderr } = await cli(['verify', '--config', appConfig(server.port), '--ca', file('ca.pem', server.ca)], { env: ENV });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const [first, second, ...steps] = stdout.split('\n');
    expect(first).toBe(`plan: localhost:${server.port} (implicit TLS)`);
    expect(second).toBe(`then: localhost:${server.port} (STARTTLS)`);
    const ending = steps.indexOf('The server can be used as it is configured.');
    const types = steps.slice(0, ending).map((line) => /^ +\d+ ms {2}(\S+)/.exec(line)?.[1]).filter((type) => type !== undefined);
    expect(types[0]).toBe('attempt-started');
    expect(types).toContain('attempt-failed');
    expect(types.slice(-6)).toEqual(['greeted', 'introduced', 'secured', 'introduced', 'authenticated', 'ready']);
    expect(steps.slice(ending + 1)).toEqual([
      expect.stringMatching(/^sign-in: (?=.*PLAIN)(?=.*LOGIN).*; used CRAM-MD5$/),
      `pin: port ${server.port}, security "starttls"`,
      `  as a URL    smtp+starttls://localhost:${server.port}`,
      `  as options  {"host":"localhost","port":${server.port},"security":"starttls"}`,
      '',
    ]);
    expect(stdout).not.toContain('sesame');
  });

  it.each(['implicit', 'starttls', 'none'] as const)('names settings that open the same door, and only that: %s', async (tls) => {
    await using server = await startServer({ tls });
    const settings = file('settings.json', JSON.stringify({ host: 'localhost', port: server.port, security: ['implicit', 'starttls', 'none'], tls: { ca: server.ca } }));
    const { stdout, code } = await cli(['verify', '--config', settings]);
    expect(code).toBe(0);
    expect(stdout).toContain('sign-in: not offered\n');
    const pinned = [...stdout.matchAll(/^ {2}as (?:a URL|options) +(.*)$/gm)].map(([, text = '']) => text);
    expect(pinned).toHaveLength(2);
    for (const text of pinned) expect(new SmtpClient(await loadOptions(text)).plans).toEqual([{ host: 'localhost', port: server.port, security: tls }]);
  });

  it('pins the door that won a race, and keeps the proxy it went through', async () => {
    await using server = await startServer({ tls: 'none' });
    let first: Socket | undefined;
    // 25 is never answered, and 587 not before 25 has been begun.
    await using proxy = await startProxy({
      protocol: 'http', credentials: 'ann:open sesame',
      answer: (client, { port }) => {
        if (port === 587) { first = client; return; }
        first?.write(GRANTED.http);
        first?.pipe(connect(server.port, '127.0.0.1')).pipe(first);
      },
    });
    const settings = { host: 'mail.example.com', security: 'none', stagger: 1, proxy: proxy.url.replace('//', '//ann:open%20sesame@') };
    const { code, stdout } = await cli(['verify', '--config', file('race.json', JSON.stringify(settings))]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/attempt-started .*:587 [^]*attempt-started .*:25 [^]* connected /);
    expect(stdout).toMatch(/^pin: port 587, security "none"\n.*\n.*\n {2}and keep {4}proxy, or the connection takes another way$/m);
    expect(stdout).not.toContain('sesame');
  });

  it('gives no URL where the address has a zone', () => {
    const plan = { host: '::1%lo', port: 25, security: 'none' } as const;
    const opened = { type: 'ready', secure: false } as ConnectEvent;
    expect(pin([opened], [plan], { host: plan.host })).toEqual(['pin: port 25, security "none"', '  as options  {"host":"::1%lo","port":25,"security":"none"}']);
  });

  it('lets flags speak last', async () => {
    await using server = await startServer({ tls: 'none' });
    const settings = file('settings.json', JSON.stringify({ host: '127.0.0.1', port: server.port, security: 'starttls' }));
    expect(await cli(['verify', '--config', settings])).toMatchObject({ code: 1 });
    expect(await cli(['verify', '--config', settings, '--security', 'none'])).toMatchObject({ code: 0 });
  });

  it('explains what a token would use, where the file has one', async () => {
    await using server = await startServer({ users: USERS });
    const settings = { host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca }, auth: { user: 'ann', token: 'open-sesame' } };
    const { stdout } = await cli(['verify', '--config', file('token.json', JSON.stringify(settings))]);
    expect(stdout).toMatch(/a token would use /);
    expect(stdout).not.toMatch(/a password would use |sesame/);
  });

  it.each<[string, readonly string[], string]>([
    ['a file that is not there', ['--config', join(folder, 'none')], 'cannot be read (ENOENT)'],
    ['two sources', ['--config', 'x', '--server', 'smtp://host'], '--config and --server'],
    ['a password from elsewhere', ['--config', 'x', '--password-file', 'y'], 'auth.passwordFile'],
    ['no source', [], '--config FILE'],
  ])('refuses %s', async (_, argv, reason) => {
    const { code, stderr } = await cli(['verify', ...argv]);
    expect(code).toBe(64);
    expect(stderr).toContain(reason);
  });

  it('names a variable that is not set', async () => {
    expect(await cli(['verify', '--config', appConfig(25)])).toMatchObject({ code: 64, stderr: expect.stringContaining('MAIL_PASSWORD') as string });
  });
});

it('send --config takes the sender from the file', async () => {
  await using server = await startServer({ users: USERS });
  const common = ['send', '--config', appConfig(server.port), '--ca', file('ca.pem', server.ca), '--to', 'bob@example.org', '--text', 'Hi'];
  expect(await cli(common, { env: ENV })).toMatchObject({ code: 0, stderr: '' });
  expect(await cli([...common, '--from', 'eve@example.com'], { env: ENV })).toMatchObject({ code: 0, stderr: '' });
  expect(server.messages.map(({ from, to, user }) => ({ from, to, user }))).toEqual([
    { from: 'ann@example.com', to: ['bob@example.org'], user: 'ann' }, { from: 'eve@example.com', to: ['bob@example.org'], user: 'ann' },
  ]);
});

it('verify --server reads the password from a file', async () => {
  await using server = await startServer({ users: USERS });
  const flags = ['verify', '--server', `smtp+starttls://ann@localhost:${server.port}`, '--ca', file('ca.pem', server.ca), '--password-file'];
  expect(await cli([...flags, file('password', 'open sesame\r\n')])).toMatchObject({ code: 0, stderr: '' });
  expect(await cli([...flags, file('password', '\n')])).toMatchObject({ code: 64, stderr: expect.stringContaining('--password-file') as string });
});
