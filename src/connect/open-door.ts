import { defer, tap, throwError, type Observable, type SchedulerLike } from 'rxjs';
import type { ConnectionPlan } from '../protocol/connection-plan.js';
import type { Leave, Opening } from '../session/open-session.js';
import { isRefusedForGood } from '../session/sign-in-errors.js';
import { Doors, type Open } from './doors.js';
import { candidatesOf, inTurn } from './in-turn.js';
import type { Memory } from './memory.js';
import { inOrder } from './plan.js';
import { staggered } from './staggered.js';

interface RunOptions {
  readonly memory: Memory;
  readonly open: Open;
  readonly leave: Leave;
  readonly scheduler: SchedulerLike;
  /** Milliseconds between the starts of a race; undefined: one candidate after the other. */
  readonly stagger: number | undefined;
}

/** A session at the first door that opens: of the plans as they were configured, what opened before comes first. */
export const openDoor = (plans: readonly ConnectionPlan[], { memory, open, leave, scheduler, stagger }: RunOptions): Observable<Opening> =>
  defer(() => {
    const refusal = memory.refusal(scheduler.now());
    if (refusal !== undefined) return throwError(() => refusal);
    const doors = new Doors(plans, memory, open, leave);
    const inTheirOrder = inOrder(plans, memory.opened);
    const session$ = stagger === undefined
      ? inTurn(candidatesOf(inTheirOrder), doors.attempt, scheduler)
      : staggered(inTheirOrder, doors.attempt, { stagger, scheduler, wins: ({ type }) => type === 'greeted' });
    return session$.pipe(
      tap({
        next: ({ type }) => {
          // It was on its way when another one was refused: what comes next is the sign-in.
          const meanwhile = type === 'introduced' ? memory.refusal(scheduler.now()) : undefined;
          if (isRefusedForGood(meanwhile)) throw meanwhile;
        },
        error: (error: unknown) => { memory.failed(error, scheduler.now()); },
        finalize: () => { doors.leave(); },
      }),
    );
  });
