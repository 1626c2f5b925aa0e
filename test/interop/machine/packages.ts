import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inHome } from './home.js';

const run = promisify(execFile);
const NO_QUESTIONS = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
const POLICY = '/usr/sbin/policy-rc.d';

const isInstalled = (name: string): Promise<boolean> =>
  run('dpkg-query', ['--show', '--showformat', '${db:Status-Status}', name]).then(({ stdout }) => stdout === 'installed', () => false);

/** The end of what a failed command said: there the reason is. */
const complaint = (error: unknown): Error => {
  const { stdout = '', stderr = '', message } = error as Error & { readonly stdout?: string; readonly stderr?: string };
  return new Error(`${message.split('\n', 1)[0] ?? ''}\n${`${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n')}`);
};

// Packages start their daemons as they are installed, unless this says no.
const withoutDaemons = async (install: () => Promise<unknown>): Promise<void> => {
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await install();
  } finally {
    if (isOurs) rmSync(POLICY);
  }
};

/** Installs what is missing, and starts nothing. */
export const install = async (names: readonly string[]): Promise<void> => {
  const present = await Promise.all(names.map(isInstalled));
  const missing = names.filter((_, index) => !present[index]);
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(' ')}`);
  // Postfix asks for settings, and is to take none.
  execFileSync('debconf-set-selections', { input: 'postfix postfix/main_mailer_type select No configuration\n' });
  try {
    await run('apt-get', ['update', '-qq'], { env: NO_QUESTIONS });
    await withoutDaemons(() => run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env: NO_QUESTIONS, maxBuffer: Infinity }));
  } catch (error) {
    throw complaint(error);
  }
};

/** Unpacks what cannot be installed beside Postfix, because Debian allows one mail server; gives the folder. */
export const unpack = async (...names: readonly string[]): Promise<string> => {
  const downloads = inHome('packages', names[0]!);
  const folder = inHome('unpacked', names[0]!);
  for (const made of [downloads, folder]) mkdirSync(made, { recursive: true });
  try {
    await run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', ...names], { cwd: downloads });
    for (const file of readdirSync(downloads)) await run('dpkg-deb', ['--extract', join(downloads, file), folder]);
  } catch (error) {
    throw complaint(error);
  }
  return folder;
};
