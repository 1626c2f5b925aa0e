import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Manners } from '../../src/session/manners.js';
import { FakeStream } from '../support/fake-stream.js';
import { sessionOn, wireOn } from '../support/fake-wire.js';

const OFFERS = ['PIPELINING', 'CHUNKING'];

it('no mail begins behind others where the connection is to be dropped, or has ended', () => {
  const wire = wireOn(new FakeStream(NEVER));
  const session = sessionOn(wire, OFFERS);
  session.begin().written(1);
  expect(session.hasRoom).toBe(true);
  wire.mustDrop = true;
  expect(session.hasRoom).toBe(false);
  wire.mustDrop = false;
  wire.drop();
  expect(session.hasRoom).toBe(false);
});

it('a mail beyond the limit that was found out goes alone', () => {
  const manners = new Manners();
  manners.mailsPerSession = 1;
  // The twentieth session tries one more.
  for (let sessions = 1; sessions < 20; sessions += 1) manners.beginSession();
  const session = sessionOn(wireOn(new FakeStream(NEVER)), OFFERS, manners);
  const first = session.begin();
  first.written(1);
  expect([session.hasRoom, session.isSpent]).toEqual([false, false]);
  first.ended();
  expect([session.hasRoom, session.isSpent]).toEqual([true, false]);
});

describe('the end of a session that took no mail, though others were on their way', () => {
  /** Twice, in sessions one after the other. */
  const isLearntFrom = (answersFirst: boolean): boolean => {
    const manners = new Manners();
    for (let sessions = 0; sessions < 2; sessions += 1) {
      const session = sessionOn(wireOn(new FakeStream(NEVER)), OFFERS, manners);
      const claims = [session.begin(), session.begin(), session.begin()];
      if (answersFirst) claims.shift()?.ended();
      for (const claim of claims) session.turnedAway(claim, true);
    }
    return !manners.bearing.bearsMails;
  };

  it('tells that it does not bear them, where it did not answer the first', () => { expect(isLearntFrom(false)).toBe(true); });

  it('says nothing, where it has refused the first', () => { expect(isLearntFrom(true)).toBe(false); });
});

describe('the second mail of two sessions, sent ahead and turned away, where a later session takes it', () => {
  const begun = (manners: Manners) => {
    const session = sessionOn(wireOn(new FakeStream(NEVER)), OFFERS, manners);
    return [session.begin(), session.begin()] as const;
  };
  type Mails = ReturnType<typeof begun>;
  const end = ([first, second]: Mails, hasHungUp: boolean): void => {
    first.succeeded();
    second.session.turnedAway(second, hasHungUp);
  };
  const inTurn = (manners: Manners, hasHungUp: boolean): void => { for (let sessions = 0; sessions < 2; sessions += 1) end(begun(manners), hasHungUp); };

  it.each<[string, (manners: Manners) => void, boolean]>([
    ['was so for being ahead', (manners) => { inTurn(manners, true); }, false],
    ['may have been so for another reason, where the server told that', (manners) => { inTurn(manners, false); }, true],
    ['may have been so by chance, where both sessions ended at one time', (manners) => { [begun(manners), begun(manners)].forEach((mails) => { end(mails, true); }); }, true],
  ])('%s', (_, turnAway, bearsMails) => {
    const manners = new Manners();
    turnAway(manners);
    expect(manners.mailsPerSession).toBe(1);
    manners.succeeded(2);
    expect([manners.mailsPerSession, manners.bearing.bearsMails]).toEqual([Infinity, bearsMails]);
  });

  it('was not so for being ahead, where that one was ahead itself', () => {
    const manners = new Manners();
    const mails = begun(manners);
    inTurn(manners, true);
    for (const mail of mails) mail.succeeded();
    expect([manners.mailsPerSession, manners.bearing.bearsMails]).toEqual([Infinity, true]);
  });
});
