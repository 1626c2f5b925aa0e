import { NEVER } from 'rxjs';
import { expect, it } from 'vitest';
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
