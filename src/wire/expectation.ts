import type { Command } from '../protocol/command.js';
import type { Phase, SmtpError } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import { replyLimit, type Limit, type Timeouts } from '../protocol/timeouts.js';

/** Who waits for replies: each of them, and then that all are there, or that no more will come. */
export interface ReplySink {
  next(reply: Reply): void;
  error(error: SmtpError): void;
  complete(): void;
}

/** Replies that are due: one to each of some commands, in their order. */
export class Expectation {
  readonly commands: readonly Command[];
  /** Undefined once nobody waits any more: the replies are read and dropped. */
  sink: ReplySink | undefined;
  /** Where the mail is while the next reply is due, and how long (ms) it may take from when it is first in line. */
  phase: Phase = 'idle';
  limit: Limit = 'command';
  ms = Infinity;
  /** Content went out right behind the last command, BDAT LAST: from then on only its own reply decides. */
  readonly #lastDecides: boolean;
  readonly #timeouts: Timeouts;
  #answered = 0;

  constructor(commands: readonly Command[], timeouts: Timeouts, sink: ReplySink | undefined, lastDecides = false) {
    this.commands = commands;
    this.sink = sink;
    this.#timeouts = timeouts;
    this.#lastDecides = lastDecides;
    this.enter(this.command.phase);
  }

  /** Whose reply is next. */
  get command(): Command {
    return this.#at(this.#answered);
  }

  /** The command that a loss of the connection is told for. */
  get decisive(): { readonly command: Command; readonly phase: Phase } {
    const last = this.#at(-1);
    return this.#lastDecides ? { command: last, phase: last.phase } : this;
  }

  get isAnswered(): boolean {
    return this.#answered === this.commands.length;
  }

  /** The commands without a reply. */
  get open(): readonly Command[] {
    return this.commands.slice(this.#answered);
  }

  /** The next reply stands for this phase, and has its time. */
  enter(phase: Phase): void {
    const { limit, ms } = replyLimit(this.#timeouts, phase);
    this.phase = phase;
    this.limit = limit;
    this.ms = ms;
  }

  /** One reply came. */
  answered(): void {
    this.#answered += 1;
    const next = this.commands[this.#answered];
    if (next !== undefined && next.phase !== this.phase) this.enter(next.phase);
  }

  #at(index: number): Command {
    const command = this.commands.at(index);
    if (command === undefined) throw new RangeError('An expectation has a command for each reply.');
    return command;
  }
}
