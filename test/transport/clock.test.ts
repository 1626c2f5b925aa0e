import { describe, expect, it } from 'vitest';
import { catchError, NEVER, Observable, of, throwError } from 'rxjs';
import { SmtpTimeoutError } from '../../src/protocol/error.js';
import { awake, before, deadline } from '../../src/transport/clock.js';
import { inVirtualTime } from '../support/marbles.js';

describe('before', () => {
  it.each([
    // source, what comes out within 3 ms
    ['a value in time', '--a|', '--a|'],
    ['only the first value is timed', '-a---b|', '-a---b|'],
    ['no value', '------a|', '---#'],
    ['an end without a value', '-|', '-|'],
  ])('%s', (_, source, expected) => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      const told = cold(source).pipe(
        before(scheduler, deadline(scheduler, 'tls', 3), 'tls', 'The handshake'),
        catchError((error: unknown) => throwError(() => (error instanceof SmtpTimeoutError ? [error.limit, error.elapsed] : error))),
      );
      expectObservable(told).toBe(expected, undefined, ['tls', 3]);
    });
  });

  it('tears the source down before anybody hears of the timeout', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const seen: string[] = [];
      const silent = new Observable<never>(() => () => { seen.push('torn down'); });
      silent.pipe(before(scheduler, deadline(scheduler, 'tls', 3), 'tls', 'The handshake')).subscribe({ error: () => { seen.push('told'); } });
      flush();
      expect(seen).toEqual(['torn down', 'told']);
    });
  });

  it('sets no timer where there is no limit, and leaves none behind', () => {
    const limit = deadline(awake, 'operation', Infinity);
    expect(NEVER.pipe(before(awake, limit, 'auth', 'Signing in'))).toBe(NEVER);
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const timersBefore = timers();
    of('at once').pipe(before(awake, deadline(awake, 'tls', 60_000), 'tls', 'The handshake')).subscribe();
    const waiting = NEVER.pipe(before(awake, deadline(awake, 'tls', 60_000), 'tls', 'The handshake')).subscribe();
    expect(timers()).toBe(timersBefore + 1);
    waiting.unsubscribe();
    expect(timers()).toBe(timersBefore);
  });
});
