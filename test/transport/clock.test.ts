import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { catchError, firstValueFrom, fromEvent, NEVER, Observable, of, race, throwError, timer } from 'rxjs';
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
    ['resolve', 'resolve', 'Check the resolver of this machine, or raise that limit.'],
    ['connect', 'connect', 'Check the host and port, and whether a firewall or your provider blocks this port; or raise that limit.'],
    ['proxy', 'proxy', 'It may not speak this protocol: check the option "proxy", and the host and port behind it; or raise that limit.'],
    ['greeting', 'greeting', 'Check the host, the port and "security", or raise that limit.'],
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
      expect(messages).toEqual([`Waiting: ${['connect', 'proxy', 'tls', 'dataBlock', 'operation', 'close'].includes(limit) ? 'it was not over' : 'nothing came'} within timeouts.${limit} = 3 ms. ${hint}`]);
    });
  });

  it('never ends early', async () => {
    const limits = Array.from({ length: 200 }, (_, index) => 1 + index / 7);
    const elapsed = await Promise.all(limits.map((ms) => new Promise<number>((resolve) => {
      NEVER.pipe(before(monotonic, deadline(monotonic, 'tls', ms), 'tls', 'The handshake')).subscribe({ error: (error: unknown) => { resolve((error as SmtpTimeoutError).elapsed - ms); } });
    })));
    expect(Math.min(...elapsed)).toBeGreaterThanOrEqual(0);
  });

  const silence = (limit: 'tls' | 'proxy', ms: number): Observable<never> => NEVER.pipe(before(awake, deadline(awake, limit, ms), limit, 'The handshake'));

  it('waits for longer than a timer can', async () => {
    await expect(firstValueFrom(race(silence('tls', 2 ** 32), silence('proxy', 20)))).rejects.toMatchObject({ limit: 'proxy' });
  });

  it('counts in real time where a test has replaced the timers', async () => {
    vi.useFakeTimers();
    await expect(firstValueFrom(silence('tls', 1))).rejects.toMatchObject({ limit: 'tls' });
  });

  it('is no limit to what came while the process was busy with something else', async () => {
    await using server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = await once(server, 'connection') as [Socket];
    const answer = firstValueFrom(fromEvent(client, 'data').pipe(before(monotonic, deadline(monotonic, 'command', 10), 'mail', 'Waiting')));
    setImmediate(() => {
      socket.end('250 Ok');
      const until = performance.now() + 30;
      while (performance.now() < until);
    });
    expect(String(await answer)).toBe('250 Ok');
    client.destroy();
  });

  it('gives back what a pause of the process took, once', async () => {
    const limit = 120;
    const answer = (ms: number): Promise<unknown> => firstValueFrom(timer(ms).pipe(before(monotonic, deadline(monotonic, 'command', limit), 'mail', 'Waiting'))).catch((error: unknown) => error);
    const answers = Promise.all([answer(300), answer(2_000)]);
    // Another 60 ms would have done for the first.
    const until = performance.now() + 240;
    while (performance.now() < until);
    const [inTime, late] = await answers;
    expect(inTime).toBe(0);
    expect((late as SmtpTimeoutError).elapsed).toBeGreaterThanOrEqual(240 + limit);
  });

  it('ends also where the process never rests', async () => {
    let isOver = false;
    const busy = (): void => {
      const until = performance.now() + 300;
      while (performance.now() < until);
      if (!isOver) setImmediate(busy);
    };
    setImmediate(busy);
    await expect(firstValueFrom(silence('tls', 100))).rejects.toMatchObject({ limit: 'tls' });
    isOver = true;
  });

  it('does not ring any more where what rang with it has stopped it', async () => {
    const rung: string[] = [];
    await new Promise<void>((resolve) => {
      awake.schedule(() => {
        rung.push('first');
        second.unsubscribe();
        setImmediate(resolve);
      });
      const second = awake.schedule(() => { rung.push('second'); });
      // Both are due when timers have their turn.
      const until = performance.now() + 5;
      while (performance.now() < until);
    });
    expect(rung).toEqual(['first']);
  });

  it('keeps the process alive only for a wait that somebody counts on', () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const timersBefore = timers();
    const watching = monotonic.schedule(() => undefined, 60_000);
    expect(timers()).toBe(timersBefore);
    const waiting = awake.schedule(() => undefined, 60_000);
    expect(timers()).toBe(timersBefore + 1);
    for (const each of [watching, waiting]) each.unsubscribe();
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
