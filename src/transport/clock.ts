import * as timers from 'node:timers';
import { Observable, Subscription, throwError, timeout, type MonoTypeOperatorFunction, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { outcomeOf, SmtpTimeoutError, type Phase } from '../protocol/error.js';
import type { LogLine } from '../protocol/log-line.js';
import { LONGEST_TIMER, type Limit } from '../protocol/timeouts.js';

// Those of when this file was loaded: fake timers put their own into their place later.
const { clearImmediate, clearTimeout, setImmediate, setTimeout } = timers;

// Later than this (ms) an alarm rings only where the process stood still.
const PAUSE = 50;

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

class Alarm<T> extends Subscription implements SchedulerAction<T> {
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
  // ring before sockets have had their turn: what came in time still waits to be read. And a pause of the process's own counts as none: what was
  // written in that turn, and what is done by and by, has its time behind it.
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
  schedule: <T>(work: Work<T>, delay = 0, state?: T): Subscription => new Alarm(work, isAwake).schedule(state, delay),
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

const SILENT = 'Check the host, the port and "security", or raise that limit.';
const LATER = 'Try again later, or raise that limit.';
/** Where nobody knows who has the mail, a retry is not for us to suggest. */
export const IN_DOUBT = 'The mail may or may not have been accepted; a retry may deliver it twice.';
// Host and port are right where a server has spoken.
const HINTS: Partial<Record<Limit, string>> = {
  resolve: 'Check the resolver of this machine, or raise that limit.',
  connect: 'Check the host and port, and whether a firewall or your provider blocks this port; or raise that limit.',
  proxy: 'It may not speak this protocol: check the option "proxy", and the host and port behind it; or raise that limit.',
  command: LATER,
  dataBlock: LATER,
  endOfData: 'Raise that limit: some servers read a mail before they answer.',
  operation: 'Raise that limit. The phase and the transcript tell what took so long.',
  close: 'Raise that limit to give mails under way more time.',
};

const hintAt = (limit: Limit, phase: Phase): string => {
  const hint = HINTS[limit] ?? SILENT;
  return outcomeOf(phase) === 'unknown' ? `${IN_DOUBT} ${hint === LATER ? 'Raise that limit.' : hint}` : hint;
};

// The others cover more than one thing that has to come.
const IS_A_REPLY: ReadonlySet<Limit> = new Set<Limit>(['resolve', 'greeting', 'command', 'endOfData', 'quit']);

/** @param hint what to change, as a sentence. */
export const timeoutError = (scheduler: SchedulerLike, { limit, since, at }: Deadline, phase: Phase, what: string, transcript: readonly LogLine[] = [], hint = hintAt(limit, phase)): SmtpTimeoutError =>
  new SmtpTimeoutError({
    limit,
    phase,
    outcome: outcomeOf(phase),
    transcript,
    elapsed: scheduler.now() - since,
    message: `${what}: ${IS_A_REPLY.has(limit) ? 'nothing came' : 'it was not over'} within timeouts.${limit} = ${String(Math.round(at - since))} ms. ${hint}`,
  });

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
