import type { SchedulerLike } from 'rxjs';
import { SmtpConnectionError, SmtpError, SmtpFallbackError, SmtpTimeoutError, type Phase } from '../protocol/error.js';

// Up to its sign-in a connection is refused for what it is, and not for what it is used for.
const OPENING: ReadonlySet<Phase> = new Set<Phase>(['greeting', 'hello', 'auth']);
// In the place of a handshake.
const HUNG_UP: ReadonlySet<string> = new Set(['reset', 'plaintext-peer']);
// After so long (ms) one more is tried again.
const LASTS = 60_000;

/** The server has no room for another connection now: it says so, also in clear text where TLS was to begin, or hangs up without a word. */
export const isCrowded = (failure: unknown): boolean => {
  const error = ofFirstDoor(failure);
  if (!(error instanceof SmtpConnectionError)) return error instanceof SmtpError && error.retryable && OPENING.has(error.phase) && error.reply?.severity === 4;
  return error.phase === 'greeting' ? error.code === 'E_CLOSED' : error.phase === 'tls' && HUNG_UP.has(error.reason);
};

/** It does not answer in time, or cannot be reached. */
export const isOutOfReach = (failure: unknown): boolean => {
  const error = ofFirstDoor(failure);
  return error instanceof SmtpTimeoutError ? error.limit !== 'operation' && error.limit !== 'close' : error instanceof SmtpConnectionError && error.code === 'E_CONNECT';
};

/** Where one of several doors has opened before, it is tried first. */
const ofFirstDoor = (error: unknown): unknown => (error instanceof SmtpFallbackError ? error.attempts[0]?.error : error);

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
