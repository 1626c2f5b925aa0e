import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { inHome } from './home.js';

const START_LIMIT = 30_000;

// Processes of its own: when the first of them is killed, the kernel ends the rest, so that nothing can stay behind, not even
// when the tests themselves are killed. Files of its own: folders are laid over those that a server has compiled in.
const PRIVATE = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
// The first process is this shell: a server that changes its user would no longer be told of our death. Hence no exec.
const LAY_OVER = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done; shift; "$@"; exit $?';

export interface Daemon {
  stop(): Promise<void>;
}

export interface DaemonPlan {
  readonly name: string;
  /** Stays in the foreground. */
  readonly command: readonly string[];
  /** Folders that the command sees in place of the system's. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Answers when the daemon is ready. */
  readonly port: number;
  /** A mail server greets; a proxy waits for its client. */
  readonly speaksFirst: boolean;
  /** Where it says what is wrong, besides its output. */
  readonly log?: string;
}

const answers = (port: number, speaksFirst: boolean): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once(speaksFirst ? 'data' : 'connect', () => { end(true); }).once('error', () => { end(false); }).once('close', () => { end(false); });
    socket.setTimeout(2_000, () => { end(false); });
  });

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

const lastLines = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n') : '');

/** Starts it and waits until it answers; fails with what it said. */
export const startDaemon = async ({ name, command, mounts = {}, port, speaksFirst, log }: DaemonPlan): Promise<Daemon> => {
  if (await answers(port, false)) throw new Error(`${name}: port ${port} is in use by something else`);
  const output = inHome(`${name}.log`);
  const file = openSync(output, 'a');
  const layers = Object.entries(mounts).flatMap(([target, source]) => [source, target]);
  const process = spawn('setpriv', [...PRIVATE, 'sh', '-c', LAY_OVER, 'sh', ...layers, '--', ...command], { stdio: ['ignore', file, file], detached: true });
  closeSync(file);

  const stop = async (): Promise<void> => {
    if (hasEnded(process)) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  };
  const giveUpAt = Date.now() + START_LIMIT;
  while (!await answers(port, speaksFirst)) {
    if (!hasEnded(process) && Date.now() < giveUpAt) {
      await pause(50);
      continue;
    }
    const how = hasEnded(process) ? 'ended at once' : `did not answer at port ${port}`;
    await stop();
    throw new Error([`${name} ${how}:`, lastLines(output), log === undefined ? '' : lastLines(log)].join('\n').trim());
  }
  return { stop };
};
