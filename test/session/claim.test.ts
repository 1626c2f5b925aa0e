import { expect, it } from 'vitest';
import { Capabilities } from '../../src/protocol/capabilities.js';
import { makeReply } from '../../src/protocol/reply.js';
import { Manners } from '../../src/session/manners.js';
import { Session } from '../../src/session/session.js';
import type { State } from '../../src/session/state.js';

it('a mail comes nearer to its turn as long as those in front of it are taken, but not where it alone is crowded out', () => {
  const settings = { pipelining: { enabled: true, depth: undefined } };
  const session = new Session({ wire: { stream: {} }, settings, capabilities: Capabilities.fromEhlo(makeReply(250, ['mail.example'])) } as unknown as State, new Manners());
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
