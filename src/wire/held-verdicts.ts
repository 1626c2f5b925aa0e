import { isFarewell, type Reply } from '../protocol/reply.js';
import type { Expectation } from './expectation.js';
import type { Wording } from './wording.js';

/** One reply that is not told yet. `isLast`: all that its mail waited for has come. */
interface Held {
  readonly expectation: Expectation;
  readonly reply: Reply;
  readonly isLast: boolean;
}

/**
 * Verdicts on content, while what came behind them may show that they were not said to it. They count once something came that is
 * said to one thing only, or nothing more did. What came behind is told behind them, because what a refusal means depends on what
 * was taken before.
 */
export class HeldVerdicts {
  readonly #held: Held[] = [];

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** One of them is a goodbye: if a reply was missing, it was said to what came behind that content. */
  get hasGoodbye(): boolean {
    return this.#held.some(({ reply, isLast }) => isLast && isFarewell(reply));
  }

  hold(expectation: Expectation, reply: Reply, isLast: boolean): void {
    this.#held.push({ expectation, reply, isLast });
  }

  /** A reply shows that those before it were said to something else. */
  isContradictedBy(reply: Reply, { phase, command }: Expectation, wording: Wording): boolean {
    if (this.isEmpty) return false;
    return reply.severity === 3 ? phase !== 'data' : phase !== 'end-of-data' && wording.isOfContent(reply, command);
  }

  /** They count. */
  tell(): void {
    // One by one: who is told may end the wire, and then the rest is told before that.
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      const { expectation, reply, isLast } = next;
      expectation.sink?.next(reply);
      if (isLast) expectation.sink?.complete();
    }
  }

  /** They do not count: these have had no reply. */
  doubt(): readonly Expectation[] {
    return this.#held.splice(0).filter(({ isLast }) => isLast).map(({ expectation }) => expectation);
  }
}
