import { NEVER } from 'rxjs';
import { expect, it } from 'vitest';
import { Manners } from '../../src/session/manners.js';
import { FakeStream } from '../support/fake-stream.js';
import { sessionOn, wireOn } from '../support/fake-wire.js';

it('a mail comes nearer to its turn as long as those in front of it are taken, but not where it alone is crowded out', () => {
  const session = sessionOn(wireOn(new FakeStream(NEVER)));
  const [first, ...behind] = [1, 2, 3, 4].map(() => session.begin());
  expect(behind.map(({ getsOn }) => getsOn)).toEqual([false, false, false]);
  first?.succeeded();
  expect(behind.map(({ getsOn }) => getsOn)).toEqual([true, true, true]);
  // The last one by a goodbye, which is said to it alone.
  behind.forEach((claim, index) => { claim.hadTooMany(index === 2); });
  expect(behind.map(({ isCrowdedOut, getsOn }) => [isCrowdedOut, getsOn])).toEqual([[true, false], [true, true], [true, false]]);
});

it('mails of one burst that were moved in vain say only once that it may be their mailboxes, which a goodbye is then believed to be about', () => {
  const manners = new Manners();
  const begin = (moved: boolean) => {
    const session = sessionOn(wireOn(new FakeStream(NEVER)), [], manners);
    if (!moved) session.begin().succeeded();
    return [1, 2].map(() => session.begin(true, moved));
  };
  begin(true).forEach((claim) => { claim.hadTooMany(false); });
  const goodbyes = begin(false);
  goodbyes.forEach((claim) => { claim.hadTooMany(true); });
  expect(goodbyes.map(({ isCrowdedOut }) => isCrowdedOut)).toEqual([false, false]);
  const others = begin(false);
  others.forEach((claim) => { claim.hadTooMany(false); });
  expect(others.map(({ isCrowdedOut }) => isCrowdedOut)).toEqual([false, true]);
});

it('a mail that whoever reads the log has ended, as its content was told of, leaves its place to others', () => {
  const session = sessionOn(wireOn(new FakeStream(NEVER)), ['PIPELINING', 'CHUNKING']);
  const cancelled = session.begin();
  cancelled.ended();
  cancelled.written(2 * 1024 * 1024);
  session.begin().written(1);
  expect(session.hasRoom).toBe(true);
});
