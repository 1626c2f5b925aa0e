import { concat, Observable } from 'rxjs';
import { deadline } from '../transport/clock.js';
import type { Wire } from './wire.js';

/**
 * Leaves as RFC 5321 section 4.1.1.10 wants it: QUIT when what is outstanding was answered, its reply or a short wait, and
 * the end. Where QUIT would be no command, and after a failure, the connection is dropped. Completes when nothing is left of it.
 */
export const leave = (wire: Wire): Observable<never> => concat(goodbye(wire), wire.stream.closed);

const goodbye = (wire: Wire): Observable<never> =>
  new Observable((subscriber) => {
    const { scheduler, timeouts } = wire.context;
    const ended = (): void => { subscriber.complete(); };
    const drop = (): void => {
      wire.drop();
      ended();
    };
    const quit = (): void => {
      if (wire.mustDrop) drop();
      else wire.quit({ next: () => { wire.stream.end(); }, error: ended, complete: drop });
    };
    if (!wire.mayQuit) drop();
    else if (wire.outstanding === 0) quit();
    else wire.outlast(deadline(scheduler, 'quit', timeouts.quit), { next: () => undefined, error: ended, complete: quit });
  });
