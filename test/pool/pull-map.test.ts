import { setImmediate as turn } from 'node:timers/promises';
import { concat, from, NEVER, of, Subject, takeUntil, throwError, VirtualTimeScheduler, type ObservableInput, type Observer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/pool/gate.js';
import { pullMap, type Room } from '../../src/pool/pull-map.js';
import { SmtpUsageError } from '../../src/protocol/error.js';

/** Work that a test ends by hand, or that ends at once; `told` is all that happens. */
const begin = (source: ObservableInput<string>, { concurrency = 2, fails = 'is told' }: { readonly concurrency?: number; readonly fails?: 'is told' | 'ends all' } = {}) => {
  const scheduler = new VirtualTimeScheduler();
  const gate = new Gate(() => true);
  const told: string[] = [];
  const stop = new Subject<void>();
  const working = new Map<string, Observer<string>>();
  const room: Room = { concurrency, gate, scheduler };
  const run$ = pullMap(source, {
    prepare: (value: string) => value,
    begin: (value, observer: Observer<string>) => {
      told.push(`begin ${value}`);
      working.set(value, observer);
      if (value === 'bad') observer.error('bad');
      if (value === 'stop') stop.next();
      return { unsubscribe: () => { told.push(`leave ${value}`); } };
    },
    discard: (value) => { told.push(`discard ${value}`); },
  }, room, {
    value: (value, of) => `${of}: ${value}`,
    failure: (error, of) => {
      if (fails === 'ends all') throw new Error(`${of} ends all`);
      return `${of} failed: ${String(error instanceof Error ? error.message : error)}`;
    },
  });
  run$.pipe(takeUntil(stop)).subscribe({ next: (value) => { told.push(value); }, error: (error: unknown) => { told.push(`error ${(error as Error).message}`); }, complete: () => { told.push('end'); } });
  return { told, gate, scheduler, stop, of: (value: string): Observer<string> => working.get(value)! };
};

describe('pullMap', () => {
  it('begins as much as there is room for, and ends behind the last', () => {
    const { told, of } = begin(['a', 'b', 'c']);
    of('a').next('one');
    of('a').complete();
    of('c').complete();
    of('b').complete();
    expect(told).toEqual(['begin a', 'begin b', 'a: one', 'begin c', 'end']);
  });

  it('leaves all that is under way when nobody listens any more, and begins nothing else', () => {
    const { told, stop } = begin(concat(of('a', 'b', 'c'), NEVER));
    stop.next();
    expect(told.filter((what) => what !== 'end')).toEqual(['begin a', 'begin b', 'leave a', 'leave b', 'discard c']);
  });

  it('leaves what is only begun when nobody listens any more', () => {
    const { told } = begin(['stop', 'b']);
    expect(told.filter((what) => what !== 'end')).toEqual(['begin stop', 'leave stop']);
  });

  it('lets others have their turn behind a hundred failures, and goes on', () => {
    const { told, scheduler } = begin(Array(250).fill('bad') as string[]);
    const failures = (): number => told.filter((what) => what === 'bad failed: bad').length;
    expect(failures()).toBe(100);
    scheduler.flush();
    expect([failures(), told.at(-1)]).toEqual([250, 'end']);
  });

  it('ends with what is thrown, when the others have ended, and discards what waits', () => {
    const { told, of: work } = begin(concat(of('a', 'b', 'c'), NEVER), { fails: 'ends all' });
    work('a').error('no');
    expect(told).toEqual(['begin a', 'begin b', 'discard c']);
    work('b').next('late');
    work('b').complete();
    expect(told.slice(3)).toEqual(['b: late', 'error a ends all']);
  });

  it('ends with its source, which failed, when the others have ended', () => {
    const { told, of: work } = begin(concat(from(['a', 'b', 'c']), throwError(() => new Error('no more'))));
    for (const value of ['a', 'b', 'c']) work(value).complete();
    expect(told).toEqual(['begin a', 'begin b', 'begin c', 'error no more']);
  });

  it('tells each value that waits why it is refused where the gate is shut for good', () => {
    const { told, gate, of: work } = begin(concat(of('a', 'b', 'c', 'd'), NEVER));
    gate.refusal = () => new SmtpUsageError({ message: 'closed' });
    work('a').complete();
    work('b').complete();
    expect(told).toEqual(['begin a', 'begin b', 'discard c', 'c failed: closed', 'discard d', 'd failed: closed', 'error closed']);
  });

  it('discards a value that comes when all has ended', async () => {
    let come: (value: string) => void = () => undefined;
    async function* slow(): AsyncGenerator<string> { yield 'a'; yield await new Promise<string>((resolve) => { come = resolve; }); }
    const { told, of: work } = begin(slow(), { fails: 'ends all' });
    await turn();
    work('a').error('no');
    come('b');
    await turn();
    expect(told).toEqual(['begin a', 'error a ends all', 'discard b']);
  });
});
