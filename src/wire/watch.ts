import type { SchedulerLike, Subscription } from 'rxjs';
import type { Command } from '../protocol/command.js';
import { replyLimit, RESET_TIMEOUT, SILENT_CONNECTION_TIMEOUT, type Limit, type Timeouts } from '../protocol/timeouts.js';
import { remaining, sooner, type Deadline } from '../transport/clock.js';
import type { DueReplies } from './due-replies.js';
import type { Expectation } from './expectation.js';

/** Later than anything. */
export const NO_END: Deadline = { limit: 'command', since: 0, at: Infinity };

/** Tells when the first in line has waited too long. One timer serves all: it is moved only to ring earlier, and looks again when it rang too early. */
export class Watch {
  /** Nothing is waited for beyond this, whatever its own limit. */
  end = NO_END;
  /**
   * The server said 421, or hung up behind a refused RSET, and has taken nothing since. What else it has to say comes soon, or not
   * at all; content that it may still take is waited for.
   */
  hasSaidGoodbye = false;
  /** The server may be gone. */
  isHurried = false;
  readonly #scheduler: SchedulerLike;
  readonly #timeouts: Timeouts;
  readonly #due: DueReplies;
  readonly #expired: (end: Deadline, first: Command | undefined) => void;
  #timer: Subscription | undefined;
  /** Infinity where no timer runs. */
  #ringsAt = Infinity;
  #since = 0;
  #isOver = false;

  constructor(scheduler: SchedulerLike, timeouts: Timeouts, due: DueReplies, expired: (end: Deadline, first: Command | undefined) => void) {
    this.#scheduler = scheduler;
    this.#timeouts = timeouts;
    this.#due = due;
    this.#expired = expired;
  }

  /** The first in line starts anew: its limit counts from now, or from when it was asked, if that was while others were still told of what came. */
  restart(now: number): void {
    this.#since = Math.max(this.#since, now);
    const { at } = this.#limit;
    if (at >= this.#ringsAt) return;
    this.#timer?.unsubscribe();
    this.#arm(at);
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.unsubscribe();
  }

  get #limit(): Deadline {
    const first = this.#due.first;
    if (first === undefined) return NO_END;
    if (!first.isOwed) return this.end;
    // Behind the end of its content a mail waits for its verdict, also while chunks of it are unanswered.
    const { limit, ms } = replyLimit(this.#timeouts, first.phase === 'body' && this.#due.mayBeTaken ? 'end-of-data' : first.phase);
    const own = sooner(this.#within(limit, Math.min(ms, this.#most(first))), this.end);
    return this.hasSaidGoodbye && !this.#due.mayBeTaken ? sooner(own, this.#within('quit', this.#timeouts.quit)) : own;
  }

  /** Milliseconds at most, whatever the limit is, where the mail can go to another connection. */
  #most({ phase, hasContent }: Expectation): number {
    if (phase === 'reset' && !hasContent) return RESET_TIMEOUT;
    return this.isHurried ? SILENT_CONNECTION_TIMEOUT : Infinity;
  }

  #within(limit: Limit, ms: number): Deadline {
    return { limit, since: this.#since, at: this.#since + ms };
  }

  #arm(at: number): void {
    this.#ringsAt = at;
    if (at === Infinity || this.#isOver) return;
    this.#timer = this.#scheduler.schedule(() => {
      const limit = this.#limit;
      if (limit.at > this.#scheduler.now()) this.#arm(limit.at);
      else this.#expired(limit, this.#due.first?.command);
    }, remaining(this.#scheduler, at));
  }
}
