import { nextTick } from 'node:process';
import { setImmediate } from 'node:timers';

/** The `nextTick` of when this file was loaded: fake timers put their own into its place later, and what waits for that never comes. */
export const soon = nextTick;

const immediately = setImmediate;

/** When every socket has had its turn. Only the second time that this comes round, a poll has surely been between. */
export const afterPoll = (then: () => void): void => {
  immediately(() => { immediately(then); });
};
