import { expect, it } from 'vitest';
import { Manners } from '../../src/session/manners.js';

type Mail = (manners: Manners) => void;
const took = (number: number): Mail => (manners) => { manners.succeeded(number); };
const turnedAway = (number: number): Mail => (manners) => { manners.turnedAway(number); };
const turnedAwayAhead = (number: number): Mail => (manners) => {
  manners.bearing.hungUpAhead(manners.bearing.hangUps);
  manners.turnedAway(number);
};
const tookAhead: Mail = ({ bearing }) => { bearing.succeeded(true, true); };

it.each<[string, readonly Mail[], number, 'mails' | 'commands']>([
  ['a mail that is turned away behind others may be chance', [turnedAway(3)], Infinity, 'mails'],
  ['at the same number again it is a limit', [turnedAway(3), turnedAway(3)], 2, 'mails'],
  ['at another one it is none', [turnedAway(3), turnedAway(4)], Infinity, 'mails'],
  ['nor where one with that number was taken in between', [turnedAway(3), took(3), turnedAway(3)], Infinity, 'mails'],
  ['what goes before it was taken by those that were turned away as well', [turnedAway(3), took(2), turnedAway(3)], 2, 'mails'],
  ['a limit stays where it is kept', [turnedAway(3), turnedAway(3), took(2)], 2, 'mails'],
  ['a mail that passes it shows that it was chance', [turnedAway(3), turnedAway(3), took(3)], Infinity, 'mails'],
  ['or that those before were turned away for being ahead', [turnedAwayAhead(3), turnedAwayAhead(3), took(3)], Infinity, 'commands'],
  ['but not by a server that has answered such a mail', [tookAhead, turnedAwayAhead(3), turnedAwayAhead(3), took(3)], Infinity, 'mails'],
])('%s', (_, mails, mailsPerSession, ahead) => {
  const manners = new Manners();
  for (const mail of mails) mail(manners);
  expect([manners.mailsPerSession, manners.bearing.bearsMails]).toEqual([mailsPerSession, ahead === 'mails']);
});
