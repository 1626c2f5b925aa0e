import { NEVER } from 'rxjs';
import { expect, it } from 'vitest';
import { FakeStream } from '../support/fake-stream.js';
import { sessionOn, wireOn } from '../support/fake-wire.js';

it('a mail comes nearer to its turn as long as those in front of it are taken, but not where it alone is crowded out', () => {
  const session = sessionOn(wireOn(new FakeStream(NEVER)));
  const [first, ...behind] = [1, 2, 3].map(() => session.begin());
  expect(behind.map(({ getsOn }) => getsOn)).toEqual([false, false]);
  first?.succeeded();
  expect(behind.map(({ getsOn }) => getsOn)).toEqual([true, true]);
  behind.forEach((claim) => { claim.hadTooMany(false); });
  expect(behind.map(({ isCrowdedOut, getsOn }) => [isCrowdedOut, getsOn])).toEqual([[true, false], [true, true]]);
  const last = session.begin();
  last.hadTooMany(true);
  expect([last.isCrowdedOut, last.getsOn]).toEqual([true, false]);
});
