import type { Phase } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import type { Expectation } from './expectation.js';
import type { Wording } from './wording.js';

/**
 * Content that was taken in words that may be said to anything, while what came behind them may show that they were not said
 * to it. They count once something came that is said to one thing only, or nothing more did.
 */
export class HeldVerdicts {
  readonly #held: { readonly expectation: Expectation; readonly reply: Reply }[] = [];

  hold(expectation: Expectation, reply: Reply): void {
    this.#held.push({ expectation, reply });
  }

  /** A reply shows that those before it were said to something else. */
  isContradictedBy(reply: Reply, phase: Phase, wording: Wording): boolean {
    if (this.#held.length === 0) return false;
    return reply.severity === 3 ? phase !== 'data' : phase !== 'end-of-data' && wording.isOfContent(reply);
  }

  /** They count. */
  tell(): void {
    // Asked at each verdict, and few servers have any.
    if (this.#held.length === 0) return;
    for (const { expectation, reply } of this.#held.splice(0)) {
      expectation.sink?.next(reply);
      expectation.sink?.complete();
    }
  }

  /** They do not count: these have had no reply. */
  doubt(): readonly Expectation[] {
    return this.#held.splice(0).map(({ expectation }) => expectation);
  }
}
