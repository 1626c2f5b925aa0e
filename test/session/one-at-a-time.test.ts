import { EMPTY, forkJoin, NEVER, throwError } from 'rxjs';
import { expect, it } from 'vitest';
import { oneAtATime } from '../../src/session/one-at-a-time.js';
import { inVirtualTime } from '../support/marbles.js';

it('one subscription at a time, in the order of asking; who gives up while waiting is left out', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const [shared, other] = [{}, {}];
    const work = cold('--(a|)');
    const failing = cold('--#');
    const queued = work.pipe(oneAtATime(shared));
    expectObservable(queued, '                              ^-----------!').toBe('--(a|)');
    expectObservable(failing.pipe(oneAtATime(shared)), '    ^-----------!').toBe('----#');
    expectObservable(queued, '                              -^-!         ').toBe('---');
    expectObservable(queued, '                              -^---!       ').toBe('---');
    // Who has left before he asks.
    expectObservable(forkJoin([EMPTY, queued]), '           -^----------!').toBe('-|');
    expectObservable(queued, '                              --^---------!').toBe('-------(a|)');
    expectObservable(work.pipe(oneAtATime(other)), '        -^----------!').toBe('---(a|)');
    expectSubscriptions(work.subscriptions).toBe(['^-!', '-^-!', '----^!', '-----^-!']);
    expectSubscriptions(failing.subscriptions).toBe('--^-!');
  });
});

it('however many end in the turn in which they begin, all are told', () => {
  const shared = {};
  let told = 0;
  const first = NEVER.pipe(oneAtATime(shared)).subscribe();
  for (let count = 0; count < 20_000; count += 1) throwError(() => new Error('no')).pipe(oneAtATime(shared)).subscribe({ error: () => { told += 1; } });
  first.unsubscribe();
  expect(told).toBe(20_000);
});

it('tells of who gives up before he has begun, and of nobody else', () => {
  const shared = {};
  const never: string[] = [];
  const [running, waiting] = ['running', 'waiting'].map((name) => NEVER.pipe(oneAtATime(shared, () => { never.push(name); })).subscribe());
  for (const each of [waiting, running]) each?.unsubscribe();
  expect(never).toEqual(['waiting']);
});
