import type { SchedulerLike } from 'rxjs';
import { SmtpConnectionError, SmtpError, type Phase } from '../protocol/error.js';

// Up to its sign-in a connection is refused for what it is, and not for what it is used for.
const OPENING: ReadonlySet<Phase> = new Set<Phase>(['greeting', 'hello', 'auth']);
// After so long (ms) one more is tried again.
const LASTS = 60_000;

/** The server has no room for another connection now: it says so, or hangs up without a word. */
export const isCrowded = (error: unknown): boolean =>
  error instanceof SmtpError && error.retryable && OPENING.has(error.phase)
  && (error.reply?.severity === 4 || (error instanceof SmtpConnectionError && error.code === 'E_CLOSED' && error.phase === 'greeting'));

/** How many connections may be open: as many as the options allow, and for a while fewer where the server took no more. */
export class Ceiling {
  readonly #most: number;
  readonly #scheduler: SchedulerLike;
  #taken = Infinity;
  #until = -Infinity;

  constructor(most: number, scheduler: SchedulerLike) {
    this.#most = most;
    this.#scheduler = scheduler;
  }

  get most(): number {
    return this.#taken < this.#most && this.#scheduler.now() < this.#until ? this.#taken : this.#most;
  }

  /** The server took so many and no more. */
  lower(taken: number): void {
    this.#taken = taken;
    this.#until = this.#scheduler.now() + LASTS;
  }
}
