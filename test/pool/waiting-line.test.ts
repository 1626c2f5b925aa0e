import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingLine, type Spot } from '../../src/pool/waiting-line.js';

describe('a line of those that wait', () => {
  it('keeps the order, whoever leaves it, and whenever', () => {
    // A number is a place to leave; undefined, somebody joins.
    fc.assert(fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 100 }), (steps) => {
      const line = new WaitingLine<number>();
      const spots: Spot<number>[] = [];
      let joined = 0;
      for (const step of steps) {
        if (step === undefined) spots.push(line.join(joined += 1));
        else spots.splice(step % Math.max(1, spots.length), 1).forEach((spot) => { spot.leave(); });
        expect([...line]).toEqual(spots.map(({ value }) => value));
        expect(line.first?.value).toBe(spots[0]?.value);
        expect(line.length).toBe(spots.length);
      }
    }));
  });

  it('is left once', () => {
    const line = new WaitingLine<string>();
    const spot = line.join('ann');
    line.join('bob');
    spot.leave();
    spot.leave();
    expect([...line]).toEqual(['bob']);
  });

  it('is not held on to by who has left', () => {
    const line = new WaitingLine<string>();
    const [first, second] = [line.join('ann'), line.join('bob'), line.join('cid')];
    second.leave();
    first.leave();
    expect([first, second].map((spot) => [spot.ahead, spot.behind])).toEqual([[undefined, undefined], [undefined, undefined]]);
  });
});
