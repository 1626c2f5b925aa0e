import { PassThrough, Readable, Writable } from 'node:stream';
import { Subject } from 'rxjs';
import { run } from '../../src/cli/run.js';
import type { Io, Output } from '../../src/cli/io.js';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  readonly stdin?: string | Readable;
  readonly env?: Io['env'];
  /** stdin and stdout are a terminal. */
  readonly isTTY?: boolean;
  /** Ctrl-C is pressed when this has been written, to either stream. */
  readonly interruptAt?: RegExp;
}

/** Runs the program in a world of its own. */
export const cli = async (argv: readonly string[], { stdin = '', env = {}, isTTY = false, interruptAt }: World = {}): Promise<Run> => {
  const interrupted$ = new Subject<void>();
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written): Output => Object.assign(new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written[name] += chunk.toString();
      done();
      if (interruptAt?.test(written[name]) === true) queueMicrotask(() => { interrupted$.next(); });
    },
  }), { isTTY });
  const input = typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin;
  const code = await run(argv, { stdin: Object.assign(input, { isTTY }), stdout: output('stdout'), stderr: output('stderr'), env, interrupted$ });
  return { code, ...written };
};

/** A terminal at which somebody types. */
export const keyboard = (typed: string): Readable => {
  const keys = new PassThrough();
  keys.write(typed);
  return keys;
};
