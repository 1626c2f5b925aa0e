import { asyncScheduler, fromEvent, merge, mergeMap, NEVER, retry, share, throwError, timer, type Observable, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { fields, usage } from '../message/fields.js';
import type { SmtpError } from '../protocol/error.js';
import { LONGEST_TIMER } from '../protocol/timeouts.js';

/** How often to retry, and when. */
export interface RetryOptions {
  /** The number of retries. Default 3. */
  readonly count?: number;
  /** Milliseconds before each retry, 2,147,483,647 at most, or a function of the retry's number, from 1. Default: a random time up to 1 s, 2 s, 4 s ... at most 5 min: three retries span 0 to 7 s, 3.5 s on average. */
  readonly delay?: number | ((attempt: number) => number);
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Once it is aborted nothing is sent again: a mail that waits for its next retry fails at once, with its last error. For a shutdown. */
  readonly signal?: AbortSignal;
}

const BASE = 1_000;
const CAP = 300_000;

// Full jitter: clients that failed together do not come back together.
const backOff = (attempt: number): number => Math.random() * Math.min(CAP, BASE * 2 ** (attempt - 1));

/**
 * Sends again after errors that are `retryable`, and only those: never if the mail may have been accepted. Each retry
 * keeps the Message-ID. Content must be replayable: a string, bytes, or a function that opens it anew.
 * @throws SmtpUsageError naming an option that cannot be used.
 *
 * ```ts
 * client.send(message).pipe(retryWhenSafe({ count: 3 }))
 * ```
 */
export const retryWhenSafe = <T>(options: RetryOptions = {}): MonoTypeOperatorFunction<T> => {
  const { count, delay, scheduler, signal } = checked(options);
  return retry({
    count,
    delay: (error: unknown, attempt) => {
      const failed$ = throwError(() => error);
      if (!isRetryable(error) || signal?.aborted === true) return failed$;
      const stopped$ = signal === undefined ? NEVER : aborted(signal).pipe(mergeMap(() => failed$));
      return merge(timer(typeof delay === 'number' ? delay : wait(delay(attempt)), scheduler), stopped$);
    },
  });
};

const heard = new WeakMap<AbortSignal, Observable<unknown>>();

/** One listener for all that wait: from the eleventh on, Node warns of a leak. */
const aborted = (signal: AbortSignal): Observable<unknown> => {
  const aborted$ = heard.get(signal) ?? fromEvent(signal, 'abort').pipe(share());
  heard.set(signal, aborted$);
  return aborted$;
};

/** By what it says, not by its class: a client of another copy of this package, or in another realm, has a class of its own. */
const isRetryable = (error: unknown): boolean => {
  const { retryable, outcome } = (error ?? {}) as Partial<SmtpError>;
  return retryable === true && outcome !== undefined && outcome !== 'unknown';
};

const isDelay = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= LONGEST_TIMER;

const wait = (value: unknown): number => {
  if (isDelay(value)) return value;
  throw usage(`The function in the option "delay" must give a number of milliseconds, ${String(LONGEST_TIMER)} at most.`);
};

const isScheduler = (value: unknown): value is SchedulerLike => typeof value === 'object' && value !== null && 'schedule' in value && 'now' in value;

const isSignal = (value: unknown): value is AbortSignal => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;

const checked = (options: RetryOptions): Required<Omit<RetryOptions, 'signal'>> & RetryOptions => {
  const { count = 3, delay = backOff, scheduler = asyncScheduler, signal } = fields(options, { path: '', noun: 'option', of: 'retryWhenSafe()', known: ['count', 'delay', 'scheduler', 'signal'] });
  if (count !== Infinity && !(Number.isSafeInteger(count) && (count as number) >= 0)) throw usage('The option "count" must be a number of retries: 0 or more, or Infinity.');
  if (typeof delay !== 'function' && !isDelay(delay)) throw usage(`The option "delay" must be a number of milliseconds, ${String(LONGEST_TIMER)} at most, or a function that gives one.`);
  if (!isScheduler(scheduler)) throw usage('The option "scheduler" must be a scheduler of RxJS.');
  if (signal !== undefined && !isSignal(signal)) throw usage('The option "signal" must be an AbortSignal.');
  return { count: count as number, delay: delay as NonNullable<RetryOptions['delay']>, scheduler, ...(signal === undefined ? {} : { signal }) };
};
