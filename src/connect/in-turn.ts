import { catchError, concat, defer, of, throwError, type Observable, type SchedulerLike } from 'rxjs';
import type { ConnectionPlan } from '../protocol/connection-plan.js';
import { SmtpError, SmtpFallbackError } from '../protocol/error.js';
import type { ConnectEvent } from '../protocol/event.js';
import { mayFallBack } from './may-fall-back.js';

/** Tries one plan after the other until one opens. What failed before is told by events, and by the error if all did. */
export const inTurn = <T>(plans: readonly ConnectionPlan[], attempt: (plan: ConnectionPlan) => Observable<T>, scheduler: SchedulerLike): Observable<T | ConnectEvent> => {
  const from = (index: number, failed: SmtpFallbackError['attempts']): Observable<T | ConnectEvent> =>
    defer(() => {
      const plan = plans[index];
      if (plan === undefined) return throwError(() => new SmtpFallbackError(failed));
      const startedAt = scheduler.now();
      return concat(of<ConnectEvent>({ type: 'attempt-started', plan, index }), defer(() => attempt(plan))).pipe(
        catchError((error: unknown) => {
          if (!(error instanceof SmtpError) || plans.length === 1 || !mayFallBack(error, plan.security)) return throwError(() => error);
          const elapsed = scheduler.now() - startedAt;
          const attempts = [...failed, { plan, error, elapsed }];
          // Only built here: the failed attempt is torn down before the next one is subscribed to.
          return index + 1 === plans.length
            ? throwError(() => new SmtpFallbackError(attempts))
            : concat(of<ConnectEvent>({ type: 'attempt-failed', plan, index, error, elapsed }), from(index + 1, attempts));
        }),
      );
    });
  return from(0, []);
};
