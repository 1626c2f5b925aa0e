import { EMPTY, forkJoin } from 'rxjs';
import { it } from 'vitest';
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
