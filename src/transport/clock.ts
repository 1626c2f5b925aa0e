import * as timers from 'node:timers';
import { Observable, Subscription, throwError, timeout, type MonoTypeOperatorFunction, type SchedulerAction, type SchedulerLike } from 'rxjs';
import type { Phase } from '../protocol/error.js';
import type { LogLine } from '../protocol/log-line.js';
import { LONGEST_TIMER, type Limit } from '../protocol/timeouts.js';
import { timeoutError } from './timeout-error.js';

// Those of when this file was loaded: fake timers put their own into their place later.
const { clearImmediate, clearTimeout, setImmediate, setTimeout } = timers;

// Later than this (ms) work is done only where the process stood still.
const PAUSE = 50;

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

class Action<T> extends Subscription implements SchedulerAction<T> {
  readonly #work: Work<T>;
  readonly #isAwake: boolean;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  /** Once only: a process that is always busy would put it off for ever. */
  #hadExtra = false;

  constructor(work: Work<T>, isAwake: boolean) {
    super(() => { this.#clear(); });
    this.#work = work;
    this.#isAwake = isAwake;
  }

  schedule(state?: T, delay = 0): Subscription {
    if (!this.closed) this.#set(delay, now() + delay, state);
    return this;
  }

  // A timer of Node counts whole milliseconds of a coarser clock, and may ring before they are over. A limit must not. Nor may it
  // ring before sockets have had their turn: what came in time still waits to be read. And where the process itself stood still, that time is
  // given once more: what should have happened in it could not.
  #set(delay: number, at: number, state?: T): void {
    this.#clear();
    this.#timer = setTimeout(() => {
      const early = at - now();
      const extra = early < -PAUSE && !this.#hadExtra ? Math.min(-early, delay) : 0;
      if (early > 0) this.#set(early, at, state);
      else if (extra > PAUSE) {
        this.#hadExtra = true;
        this.#set(extra, now() + extra, state);
      } else this.#turn = setImmediate(() => { this.#work(state); });
    }, Math.min(Math.ceil(delay), LONGEST_TIMER));
    if (!this.#isAwake) this.#timer.unref();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }
}

// Not performance.now(), which checks its receiver at each call and costs several times as much.
const now = (): number => process.uptime() * 1_000;

const clock = (isAwake: boolean): SchedulerLike => ({
  now,
  schedule: <T>(work: Work<T>, delay = 0, state?: T): Subscription => new Action(work, isAwake).schedule(state, delay),
});

/**
 * The clock of every limit: monotonic, so that no change of the wall clock stretches a deadline, and unref'd, because
 * it is the socket that keeps a process alive, never a deadline that watches it. It runs in real time also where a test has
 * replaced the global timers.
 */
export const monotonic = clock(false);

/** The same, for a wait that somebody counts on: it keeps the process alive. */
export const awake = clock(true);

/** A point in time that must not be passed, and the limit that set it. */
export interface Deadline {
  readonly limit: Limit;
  readonly since: number;
  readonly at: number;
}

export const deadline = (scheduler: SchedulerLike, limit: Limit, ms: number): Deadline => {
  const since = scheduler.now();
  return { limit, since, at: since + ms };
};

export const sooner = (a: Deadline, b: Deadline): Deadline => (b.at < a.at ? b : a);

/** Milliseconds until `at`; none where it is over. */
export const remaining = (scheduler: SchedulerLike, at: number): number => Math.max(at - scheduler.now(), 0);

/** Fails with the deadline unless a value came before it. The source is torn down before anybody hears of that. */
export const before = <T>(scheduler: SchedulerLike, end: Deadline, phase: Phase, what: string, transcript?: () => readonly LogLine[], hint?: string): MonoTypeOperatorFunction<T> =>
  (source) => end.at === Infinity ? source : new Observable((subscriber) => {
    // Whoever heard of the step before may have ended all, and the source would not know.
    if (subscriber.closed) return;
    subscriber.add(source.pipe(timeout({
      first: remaining(scheduler, end.at), scheduler,
      with: () => throwError(() => timeoutError(scheduler, end, phase, what, transcript?.(), hint)),
    })).subscribe(subscriber));
  });
