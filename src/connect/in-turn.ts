import { catchError, concat, Observable, of, throwError, type SchedulerLike } from 'rxjs';
import type { ConnectionPlan } from '../protocol/connection-plan.js';
import { SmtpError, SmtpFallbackError } from '../protocol/error.js';
import type { ConnectEvent } from '../protocol/event.js';
import { mayFallBack } from './may-fall-back.js';

/** A plan, and its place in the list. */
export interface Candidate {
  readonly plan: ConnectionPlan;
  readonly index: number;
}

/** Tries one candidate. A cold observable: unsubscribing ends the try. */
export type Attempt<T> = (plan: ConnectionPlan) => Observable<T>;

export type FailedAttempts = SmtpFallbackError['attempts'];

export const candidatesOf = (plans: readonly ConnectionPlan[]): readonly Candidate[] => plans.map((plan, index) => ({ plan, index }));

/**
 * Tries one candidate after the other until one opens. What failed before is told by events, and by the error if all did.
 * @param failed those that were tried before these.
 */
export const inTurn = <T>(candidates: readonly Candidate[], attempt: Attempt<T>, scheduler: SchedulerLike, failed: FailedAttempts = []): Observable<T | ConnectEvent> =>
  new Observable((subscriber) => {
    const [candidate, ...others] = candidates;
    if (candidate === undefined) throw new SmtpFallbackError(failed);
    const { plan, index } = candidate;
    const startedAt = scheduler.now();
    // Not concat, through which every event of a connection would go.
    subscriber.next({ type: 'attempt-started', plan, index });
    // Whoever is told may have heard enough.
    if (subscriber.closed) return undefined;
    return attempt(plan).pipe(
      catchError((error: unknown) => {
        const isOnly = others.length === 0 && failed.length === 0;
        if (!(error instanceof SmtpError) || isOnly || !mayFallBack(error, plan.security)) return throwError(() => error);
        const elapsed = scheduler.now() - startedAt;
        // Only built here: the failed attempt is torn down before the next one is subscribed to.
        const next = inTurn(others, attempt, scheduler, [...failed, { plan, error, elapsed }]);
        return others.length === 0 ? next : concat(of<ConnectEvent>({ type: 'attempt-failed', plan, index, error, elapsed }), next);
      }),
    ).subscribe(subscriber);
  });
