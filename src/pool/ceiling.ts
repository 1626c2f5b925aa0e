import type { SchedulerLike } from 'rxjs';
import { SmtpConnectionError, SmtpError, SmtpFallbackError, SmtpTimeoutError, type Phase } from '../protocol/error.js';
import { isOfConnections } from '../protocol/remedy.js';
import { isOfAll } from '../protocol/timeouts.js';
import { NO_TLS } from '../transport/tls-error.js';

// Up to its sign-in, for which it may have to wait, a connection is refused for what it is, and not for what it is used for.
const OPENING: ReadonlySet<Phase> = new Set<Phase>(['greeting', 'hello', 'starttls', 'idle', 'auth']);
// Nothing was asked of it yet, or it had to wait.
const UNASKED: ReadonlySet<Phase> = new Set<Phase>(['greeting', 'idle']);
// What proxies say, or do, where they have no room.
const FULL_PROXY: ReadonlySet<string> = new Set([...NO_TLS, 'closed', 'busy', 'denied', 'unreachable']);
// The system's word for why it was not reached, such as ECONNREFUSED: all others are in small letters.
const OF_SYSTEM = /^[A-Z]/;
// After so long (ms) one more is tried again.
const LASTS = 60_000;

/** The server has no room for another connection now: it says so, also in clear text where TLS was to begin, or hangs up without a word, or on who waits to sign in. */
const isCrowded = (error: unknown): boolean => {
  if (!(error instanceof SmtpConnectionError)) return error instanceof SmtpError && OPENING.has(error.phase) && ((error.retryable && error.reply?.severity === 4) || saysTooMany(error));
  return UNASKED.has(error.phase) ? error.code === 'E_CLOSED' : error.phase === 'tls' && NO_TLS.has(error.reason);
};

/** It does not answer in time, hangs up, or cannot be reached or found: a firewall, a proxy, a resolver or this machine may have no room for one more. */
const isOutOfReach = (error: unknown): boolean => {
  if (error instanceof SmtpTimeoutError) return !isOfAll(error.limit);
  if (!(error instanceof SmtpConnectionError)) return false;
  switch (error.code) {
    case 'E_CONNECT': case 'E_DNS': return true;
    case 'E_CLOSED': return OPENING.has(error.phase) && !UNASKED.has(error.phase);
    case 'E_PROXY': return FULL_PROXY.has(error.reason) || OF_SYSTEM.test(error.reason);
    default: return false;
  }
};

/** It may be the caller's own part of a sign-in that takes so long, and there may be room all the same. */
const isSlowSignIn = (error: unknown): boolean => error instanceof SmtpTimeoutError && error.phase === 'auth';

/** Microsoft also says it to the content, behind a sign-in that it took. */
const saysTooMany = (error: unknown): boolean => error instanceof SmtpError && error.reply !== undefined && isOfConnections(error.reply);

/** Where one of several doors has opened before, it is tried first. */
const ofFirstDoor = (error: unknown): unknown => (error instanceof SmtpFallbackError ? error.attempts[0]?.error : error);

/** How many connections may be open: as many as the options allow, and for a while fewer where the server took no more. */
export class Ceiling {
  readonly #most: number;
  readonly #scheduler: SchedulerLike;
  #taken = Infinity;
  #until = -Infinity;
  /** The addresses that took no more. */
  readonly #full = new Set<string | undefined>();

  constructor(most: number, scheduler: SchedulerLike) {
    this.#most = most;
    this.#scheduler = scheduler;
  }

  get most(): number {
    return this.#taken < this.#most && this.#scheduler.now() < this.#until ? this.#taken : this.#most;
  }

  /**
   * Another connection could not be opened beside so many others. True where it may have been one too many, so that for a while these
   * are all.
   * @param address where that was, as far as it got.
   * @param mayDo one of them may take the mail, so that this is tried also where nothing says that there are too many.
   */
  notOpened(failure: unknown, others: number, mayDo: boolean, address?: string): boolean {
    const error = ofFirstDoor(failure);
    if (others === 0) {
      // Nobody got there: room was not what was missing.
      if (isOutOfReach(error)) this.#taken = Infinity;
      return false;
    }
    if (!isCrowded(error) && !(mayDo && isOutOfReach(error))) return false;
    if (!isSlowSignIn(error)) this.take(others, address);
    return true;
  }

  /** A connection was opened. Where that is at another address than the one that took no more, it is that address which has no room, and not the host. */
  opened(address: string | undefined): void {
    if (!this.#full.has(undefined) && !this.#full.has(address)) this.#taken = Infinity;
  }

  /** A mail was refused. True where that was for the number of connections: this one is one too many, and for a while the others are all. */
  refused(error: unknown, connections: number): boolean {
    if (connections < 2 || !saysTooMany(error)) return false;
    this.take(Math.max(1, Math.min(connections, this.most) - 1));
    return true;
  }

  /** So many are all, for a while. */
  take(others: number, address?: string): void {
    const now = this.#scheduler.now();
    if (now >= this.#until) this.#full.clear();
    this.#full.add(address);
    this.#taken = others;
    this.#until = now + LASTS;
  }
}
