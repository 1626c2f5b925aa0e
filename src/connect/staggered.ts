import { concat, defer, identity, Observable, Subscription, type SchedulerLike } from 'rxjs';
import type { ConnectionPlan } from '../protocol/connection-plan.js';
import { SmtpError, SmtpReplyError } from '../protocol/error.js';
import type { ConnectEvent } from '../protocol/event.js';
import { mapError } from '../transport/map-error.js';
import { candidatesOf, inTurn, type Attempt, type Candidate, type FailedAttempts } from './in-turn.js';
import { mayFallBack } from './may-fall-back.js';
import { isLastResort } from './plan.js';

export interface RaceOptions<T> {
  /** Milliseconds from one start to the next. */
  readonly stagger: number;
  readonly scheduler: SchedulerLike;
  /** The step that decides the race. */
  readonly wins: (step: T) => boolean;
}

/**
 * Candidates that need a connection of their own race: each starts so many ms after the one before, or at once when one has
 * failed. The first that wins goes on alone. If it turns out to be the wrong door, or none won, the others are tried in turn.
 * A refusal is the result only if no candidate before that one wins.
 */
export const staggered = <T>(plans: readonly ConnectionPlan[], attempt: Attempt<T>, options: RaceOptions<T>): Observable<T | ConnectEvent> =>
  defer(() => {
    const candidates = candidatesOf(plans);
    const racers = racersOf(candidates);
    const { scheduler } = options;
    if (racers.length < 2) return inTurn(candidates, attempt, scheduler);
    const failed: FailedAttempts[number][] = [];
    const left = (): readonly Candidate[] => candidates.filter(({ plan }) => !failed.some((failure) => failure.plan === plan));
    return concat(
      race(racers, attempt, { ...options, lose: (failure) => { failed.push(failure); return left().length > 0; } }),
      defer(() => inTurn(left(), attempt, scheduler, failed)),
    );
  });

// STARTTLS and clear text share one connection, and clear text as the last resort is no match for TLS.
const racersOf = (candidates: readonly Candidate[]): readonly Candidate[] => {
  const plans = candidates.map(({ plan }) => plan);
  const wayIn = ({ port, security }: ConnectionPlan): string => `${String(port)} ${String(security === 'implicit')}`;
  return candidates.filter(({ plan }, index) => !isLastResort(plan, plans) && plans.findIndex((other) => wayIn(other) === wayIn(plan)) === index);
};

/**
 * The events of a racer are held back until it has won or failed, so that they read as if one had followed the other.
 * Completes when no racer is left, or the winner was the wrong door.
 * @param lose is told who has failed; true if anybody is left to be tried.
 */
const race = <T>(racers: readonly Candidate[], attempt: Attempt<T>, { stagger, scheduler, wins, lose }: RaceOptions<T> & { readonly lose: (failure: FailedAttempts[number]) => boolean }): Observable<T | ConnectEvent> =>
  new Observable((subscriber) => {
    const waiting = [...racers];
    const running = new Map<Candidate, Subscription>();
    let winner: Candidate | undefined;
    let clock = Subscription.EMPTY;
    const complete = (): void => { subscriber.complete(); };
    /** What becomes of it when nobody runs any more. */
    let end = complete;

    const leaveOut = (isOut: (racer: Candidate) => boolean): void => {
      waiting.length = 0;
      clock.unsubscribe();
      for (const [racer, subscription] of running) {
        if (!isOut(racer)) continue;
        running.delete(racer);
        subscription.unsubscribe();
      }
    };

    const win = (candidate: Candidate): void => {
      winner = candidate;
      end = complete;
      leaveOut((racer) => racer !== candidate);
    };

    const fail = (candidate: Candidate, error: unknown, elapsed: number, tell: () => void): void => {
      const { plan, index } = candidate;
      running.delete(candidate);
      if (error instanceof SmtpError && mayFallBack(error, plan.security)) {
        tell();
        if (lose({ plan, error, elapsed })) subscriber.next({ type: 'attempt-failed', plan, index, error, elapsed });
        if (winner === undefined) begin();
      } else {
        end = () => { tell(); subscriber.error(error); };
        // Who refuses is not asked at all where a door before it opens.
        leaveOut((racer) => racer.index > index || !(error instanceof SmtpReplyError));
      }
      if (running.size === 0) end();
    };

    const begin = (): void => {
      clock.unsubscribe();
      const candidate = waiting.shift();
      if (candidate === undefined) return;
      if (waiting.length > 0) subscriber.add(clock = scheduler.schedule(begin, stagger));
      const { plan, index } = candidate;
      const startedAt = scheduler.now();
      const held: T[] = [];
      const tell = (): void => { for (const step of held.splice(0)) subscriber.next(step); };
      const run = new Subscription();
      running.set(candidate, run);
      subscriber.add(run);
      subscriber.next({ type: 'attempt-started', plan, index });
      if (run.closed) return;
      // Its error is told when it is torn down already.
      run.add(defer(() => attempt(plan)).pipe(mapError(identity)).subscribe({
        next: (step) => {
          held.push(step);
          if (winner === undefined && wins(step)) win(candidate);
          if (winner === candidate) tell();
        },
        error: (error: unknown) => { fail(candidate, error, scheduler.now() - startedAt, tell); },
      }));
    };

    begin();
  });
