import { defer, filter, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { ContentEvent } from '../wire/content-event.js';

// Ten times a second is as often as a person or a gauge looks.
const INTERVAL = 100;

/** Lets a position pass at most every 100 ms, but always the last one and the verdict. */
export const throttleProgress = (scheduler: SchedulerLike): MonoTypeOperatorFunction<ContentEvent> => (events$) =>
  defer(() => {
    let next = -Infinity;
    return events$.pipe(filter((event) => {
      if (event.type === 'verdict' || event.finished) return true;
      const now = scheduler.now();
      if (now < next) return false;
      next = now + INTERVAL;
      return true;
    }));
  });
