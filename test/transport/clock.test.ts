import { afterEach, describe, expect, it, vi } from 'vitest';
import { catchError, NEVER, Observable, of, throwError } from 'rxjs';
import { SmtpTimeoutError } from '../../src/protocol/error.js';
import { awake, before, deadline, monotonic } from '../../src/transport/clock.js';
import { inVirtualTime } from '../support/marbles.js';

afterEach(() => { vi.useRealTimers(); });

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

  const IN_DOUBT = 'The mail may or may not have been accepted; a retry may deliver it twice.';

  it.each([
    ['connect', 'connect', 'Check the host and port, or raise that limit.'],
    ['command', 'data', 'Try again later, or raise that limit.'],
    ['operation', 'data', 'Raise that limit. The phase and the transcript tell what took so long.'],
    ['command', 'end-of-data', `${IN_DOUBT} Raise that limit.`],
    ['dataBlock', 'end-of-data', `${IN_DOUBT} Raise that limit.`],
    ['endOfData', 'end-of-data', `${IN_DOUBT} Raise that limit: some servers read a mail before they answer.`],
    ['operation', 'end-of-data', `${IN_DOUBT} Raise that limit. The phase and the transcript tell what took so long.`],
    ['close', 'end-of-data', `${IN_DOUBT} Raise that limit to give mails under way more time.`],
  ] as const)('at the end of timeouts.%s in %s: %s', (limit, phase, hint) => {
    inVirtualTime(({ flush }, scheduler) => {
      const messages: string[] = [];
      NEVER.pipe(before(scheduler, deadline(scheduler, limit, 3), phase, 'Waiting')).subscribe({ error: (error: unknown) => { messages.push((error as Error).message); } });
      flush();
      expect(messages).toEqual([`Waiting: nothing came within timeouts.${limit} = 3 ms. ${hint}`]);
    });
  });

  it('never ends early', async () => {
    const limits = Array.from({ length: 200 }, (_, index) => 1 + index / 7);
    const elapsed = await Promise.all(limits.map((ms) => new Promise<number>((resolve) => {
      NEVER.pipe(before(monotonic, deadline(monotonic, 'tls', ms), 'tls', 'The handshake')).subscribe({ error: (error: unknown) => { resolve((error as SmtpTimeoutError).elapsed - ms); } });
    })));
    expect(Math.min(...elapsed)).toBeGreaterThanOrEqual(0);
  });

  it('waits for longer than a timer can', () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const running = NEVER.pipe(before(monotonic, deadline(monotonic, 'tls', 2 ** 32), 'tls', 'The handshake')).subscribe({ error: () => { throw new Error('ended early'); } });
    vi.advanceTimersByTime(2 ** 31);
    expect(running.closed).toBe(false);
    running.unsubscribe();
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
