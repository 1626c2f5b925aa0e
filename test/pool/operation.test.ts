import { expect, it } from 'vitest';
import { clientIn, mailsOn } from '../support/client-in-virtual-time.js';
import { inVirtualTime } from '../support/marbles.js';
import { WAYS } from '../support/ways.js';

it.each(Object.entries(WAYS))('the limit of an operation leaves nothing behind on a connection when the mail has ended before, %s', (_, without) => {
  const alarms = [500, Infinity].map((operation) => {
    let left = 0;
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { without, operation });
      for (const at of [0, 600]) scheduler.schedule(send, at);
      scheduler.schedule(() => { left = scheduler.actions.length; }, 300);
      flush();
      expect(ends.map((end) => Math.floor(Number(end) / 100))).toEqual([0, 6]);
      expect(streams.map(mailsOn)).toEqual([2]);
    });
    return left;
  });
  expect(alarms[0]).toBe(alarms[1]);
});
