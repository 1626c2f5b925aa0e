import type { Readable, Writable } from 'node:stream';
import type { Observable } from 'rxjs';
import type { Environment } from '../config/environment.js';
import { EXIT_CODES } from './exit-codes.js';

export type Output = Writable & { readonly isTTY?: boolean };

/** What a command has of the world around it; tests give their own. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  /** Ctrl-C. While nobody is subscribed it ends the process, as everywhere. */
  readonly interrupted$: Observable<unknown>;
}

/** A command of this program: takes its arguments, resolves with the exit code. */
export type CliCommand = (argv: readonly string[], io: Io) => Promise<number>;

export const writeLine = (out: Output, text: string): void => { out.write(`${text}\n`); };

/** All that a command was asked for: its help, say. Gives the exit code. */
export const tell = ({ stdout }: Io, text: string): number => {
  writeLine(stdout, text);
  return EXIT_CODES.accepted;
};
