import { PassThrough, Readable, Writable } from 'node:stream';
import { Subject, take } from 'rxjs';
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
  /** Ctrl-C is pressed, once, when this has been written to either stream; where nobody listens, it ends the program with 130. */
  readonly interruptAt?: RegExp;
}

/** Runs the program in a world of its own. */
export const cli = async (argv: readonly string[], { stdin = '', env = {}, isTTY = false, interruptAt }: World = {}): Promise<Run> => {
  const interrupted$ = new Subject<void>();
  let isPressed = false;
  let kill = (_code: number): void => undefined;
  const killed = new Promise<number>((resolve) => { kill = resolve; });
  const press = (): void => { if (interrupted$.observed) interrupted$.next(); else kill(130); };
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written): Output => Object.assign(new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written[name] += chunk.toString();
      done();
      if (isPressed || interruptAt?.test(written[name]) !== true) return;
      isPressed = true;
      queueMicrotask(press);
    },
  }), { isTTY });
  const input = typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin;
  const code = await Promise.race([killed, run(argv, { stdin: Object.assign(input, { isTTY }), stdout: output('stdout'), stderr: output('stderr'), env, interrupted$: interrupted$.pipe(take(1)) })]);
  return { code, ...written };
};

/** A terminal at which somebody types. */
export const keyboard = (typed: string): Readable => {
  const keys = new PassThrough();
  keys.write(typed);
  return keys;
};
