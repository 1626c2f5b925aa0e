import type { Reply } from '../protocol/reply.js';
import { Expectation, type ReplySink } from './expectation.js';

/** The replies that are due on a wire, in the order of their commands. */
export class DueReplies {
  /** How many there are. */
  outstanding = 0;
  readonly #line: Expectation[] = [];

  /** Whose reply is next. */
  get first(): Expectation | undefined {
    return this.#line[0];
  }

  get isEmpty(): boolean {
    return this.#line.length === 0;
  }

  /** Nobody stands behind the first. */
  get hasOne(): boolean {
    return this.#line.length === 1;
  }

  /** Nobody waits for any of them. */
  get isUnheard(): boolean {
    return this.#line.every(({ sink }) => sink === undefined);
  }

  /** QUIT behind all of them is a command. */
  get takesQuit(): boolean {
    return this.#line.every(({ takesQuit }) => takesQuit);
  }

  /** Content has left that the server may take. */
  get mayBeTaken(): boolean {
    return this.#line.some(({ mayBeTaken }) => mayBeTaken);
  }

  add(expectation: Expectation): void {
    this.outstanding += expectation.commands.length;
    this.#line.push(expectation);
  }

  has(expectation: Expectation): boolean {
    return this.#line.includes(expectation);
  }

  /** Were taken for answered, and are not: they stand before all others. */
  restore(expectations: readonly Expectation[]): void {
    this.#line.unshift(...expectations);
  }

  /** They are not due any more. */
  remove(expectation: Expectation): void {
    this.#line.splice(this.#line.indexOf(expectation), 1);
    this.outstanding -= expectation.commands.length;
  }

  /** A reply to the first came; true if it was the last of them. */
  answered(first: Expectation, reply: Reply): boolean {
    this.outstanding -= 1;
    const isAnswered = first.answered(reply);
    if (isAnswered) this.#line.shift();
    return isAnswered;
  }

  /** Nobody waits any more. `afterwards` is told when none is due. */
  outlast(afterwards: ReplySink): void {
    const last = this.#line.at(-1);
    // Entries of our own: who waited for them may come here by an error, and is torn down only afterwards.
    this.#line.push(...this.#line.splice(0).map((due) => new Expectation(due.open, due === last ? afterwards : undefined)));
  }

  /** Nothing will be answered any more: these were due. */
  end(): readonly Expectation[] {
    this.outstanding = 0;
    return this.#line.splice(0);
  }
}
