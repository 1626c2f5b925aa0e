import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const works = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const isDebian12 = (): boolean => {
  try {
    return readFileSync('/etc/os-release', 'utf8').includes('VERSION_CODENAME=bookworm');
  } catch {
    return false;
  }
};

/** Why real servers cannot be run on this machine; `undefined` where they can. */
export const obstacle = (): string | undefined => {
  if (!isDebian12()) return 'real servers run on Debian 12 only';
  if (process.getuid?.() !== 0) return 'real servers need root';
  if (!works('apt-get', '--version')) return 'real servers are installed with apt, which is missing';
  if (!works('unshare', '--mount', '--pid', '--fork', '--mount-proc', 'true')) return 'real servers need namespaces of their own, which this machine does not give';
  return undefined;
};
