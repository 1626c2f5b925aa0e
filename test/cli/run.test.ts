import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ProgressLine } from '../../src/cli/progress-line.js';
import { run } from '../../src/cli/run.js';
import { startServer } from '../../src/testing/index.js';
import { cli } from '../support/cli.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };

describe('rxsmtp', () => {
  it.each([['--help'], ['-h'], ['help']])('%s names the commands and the exit codes', async (word) => {
    const { code, stdout, stderr } = await cli([word]);
    expect([code, stderr]).toEqual([0, '']);
    for (const text of ['rxsmtp demo', 'rxsmtp send', 'rxsmtp verify', 'Exit codes: 0 accepted, 1 not sent, 2 refused, 3 unknown (may have been accepted), 4 accepted for some only']) expect(stdout).toContain(text);
  });

  it.each([['demo'], ['send'], ['verify']])('%s --help', async (command) => {
    const { code, stdout, stderr } = await cli([command, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^rxsmtp ${command}`));
  });

  it.each([['--version'], ['-v']])('%s tells the version', async (word) => {
    expect(await cli([word])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('tells by its exit code what became of a mail whose events nobody reads to the end', async () => {
    await using server = await startServer({ tls: 'none' });
    const gone = new Writable({ write: (_chunk, _encoding, done) => { done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })); } });
    const argv = ['send', '--server', `smtp://127.0.0.1:${server.port}`, '--from', 'ann@example.com', '--to', 'bob@example.org', '--text', 'Hi'];
    expect(await run(argv, { stdin: Readable.from([]), stdout: gone, stderr: gone, env: {}, interrupted$: NEVER })).toBe(0);
    expect(server.messages).toHaveLength(1);
  });

  it('names the commands where there is no such one', async () => {
    const { code, stderr } = await cli(['sned']);
    expect(code).toBe(64);
    expect(stderr).toMatch(/demo, send, verify/);
  });
});

describe('rxsmtp verify', () => {
  it('shows the plan and each step, and sends nothing', async () => {
    await using server = await startServer({ tls: 'none' });
    const { code, stdout } = await cli(['verify', '--server', `smtp://127.0.0.1:${server.port}`, '--security', 'auto']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^plan: 127\.0\.0\.1:\d+ \(implicit TLS\)\nthen: .*\(STARTTLS\)\nthen: .*\(clear text\)$/m);
    expect(stdout).toMatch(/attempt-failed {6}.*wrong door[^]*ready {15}clear text[^]*The server can be used as it is configured\./);
    await server.idle();
    expect(server.messages).toEqual([]);
  });

  it('ends with 1 where no door opens', async () => {
    await using server = await startServer({ tls: 'none' });
    const { code, stderr } = await cli(['verify', '--server', `smtp://127.0.0.1:${server.port}`, '--security', 'tls']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^not-sent \(E_ALL_ATTEMPTS, starttls\): No door opened\..*\nThe server could not be used as it is configured\.$/m);
  });

  it('ends with 1 at its own limit', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'silence' }] });
    const { code, stderr } = await cli(['verify', '--server', `smtp://127.0.0.1:${server.port}`, '--security', 'starttls', '--timeout', '100']);
    expect(code).toBe(1);
    expect(stderr).toContain('timeouts.operation = 100 ms');
  });

  it('can be interrupted', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'silence' }] });
    const { code, stderr } = await cli(['verify', '--server', `smtp://127.0.0.1:${server.port}`, '--security', 'starttls'], { interruptAt: / connected / });
    expect(code).toBe(1);
    expect(stderr).toBe('not-sent (interrupted): The server was not tried to the end.\n');
  });
});

describe('rxsmtp demo', () => {
  const PROOFS = /proof: *(?:\u001b\[\d+m)* what arrived is what was meant: 25000000 bytes[^]*proof: *(?:\u001b\[\d+m)* nothing was delivered/;

  it('proves what it says, in plain lines where there is no terminal', { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await cli(['demo']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(PROOFS);
    expect(stdout).toMatch(/recipient-refused {3}nobody@example\.org: 550/);
    expect(stdout).toMatch(/^ {1,4}\d+ % {2}\d+\.\d MB/m);
    expect(stdout).not.toMatch(/[\r\u001b]/);
    expect(stdout).not.toContain('sesame');
  });

  it('draws a bar over itself on a terminal', { timeout: 120_000 }, async () => {
    const { code, stdout } = await cli(['demo'], { isTTY: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(PROOFS);
    expect(stdout).toMatch(/\r\u001b\[2K.*█.*░.* \d+ % {2}\d+\.\d MB.*\r\u001b\[2K/);
    expect(stdout).not.toContain('sesame');
  });
});

describe('progress', () => {
  const drawn = (isTTY: boolean, positions: readonly (readonly [bytes: number, total?: number])[]): string => {
    let text = '';
    let now = 0;
    const line = new ProgressLine(Object.assign(new Writable({ write: (chunk: Buffer, _, done) => { text += chunk.toString(); done(); } }), { isTTY }), () => (now += 1_000));
    for (const [bytes, total] of positions) line.update(bytes, total);
    line.clear();
    // Colours are no part of the picture.
    return text.replaceAll(/\u001b\[\d+m/g, '');
  };
  const clear = '\r\u001b[2K';

  it('is drawn over itself on a terminal', () => {
    expect(drawn(true, [[0, 4e6], [2e6, 4e6], [4e6, 4e6]])).toBe([
      `${clear}  ${'░'.repeat(30)}   0 %  0.0 kB  0.0 kB/s`,
      `${clear}  ${'█'.repeat(15)}${'░'.repeat(15)}  50 %  2.0 MB  1.0 MB/s`,
      `${clear}  ${'█'.repeat(30)} 100 %  4.0 MB  1.3 MB/s`,
      clear,
    ].join(''));
  });

  it('is a line for each 10 % elsewhere', () => {
    expect(drawn(false, [[10_000, 1e6], [110_000, 1e6], [150_000, 1e6], [1e6, 1e6]]).split('\n').map((text) => text.slice(0, 7))).toEqual(['   11 %', '  100 %', '']);
  });

  it('counts bytes where nobody knows the whole', () => {
    expect(drawn(false, [[9e6], [11e6], [21e6]]).split('\n').map((text) => text.slice(0, 9))).toEqual(['  11.0 MB', '  21.0 MB', '']);
    expect(drawn(true, [[11e6]])).toContain(`${clear}  11.0 MB`);
  });

  it('never passes its end when the whole was estimated too low', () => {
    expect(drawn(true, [[5e6, 4e6]])).toContain('100 %');
  });

  it('is drawn by send on a terminal, and erased behind it', async () => {
    await using server = await startServer();
    const { stdout } = await cli(['send', '--server', `smtp://127.0.0.1:${server.port}`, '--security', 'none', '--from', 'ann@example.com', '--to', 'bob@example.org', '--raw', '-'], { stdin: 'Subject: hello\r\n\r\nHi\r\n', isTTY: true });
    expect(stdout).toMatch(/\r\u001b\[2K {2}0\.0 kB\r\u001b\[2K.*accepted/);
  });
});
