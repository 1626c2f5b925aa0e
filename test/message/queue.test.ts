import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Queue } from '../../src/message/queue.js';

it('a queue gives what was pushed, in its order', () => {
  fc.assert(fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (steps) => {
    const queue = new Queue<number>();
    const plain: number[] = [];
    for (const step of steps) {
      if (step === undefined) expect(queue.shift()).toBe(plain.shift());
      else {
        queue.push(step);
        plain.push(step);
      }
      expect(queue.length).toBe(plain.length);
    }
    queue.clear();
    expect(queue.shift()).toBeUndefined();
  }));
});
