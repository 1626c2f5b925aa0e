import { expect, it } from 'vitest';
import { learnFrom } from '../../src/pool/learn-from.js';
import type { Move } from '../../src/pool/may-move.js';
import { SmtpConnectionError, SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type Outcome, type Phase, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Limit } from '../../src/protocol/timeouts.js';
import { Bearing } from '../../src/session/bearing.js';
import type { Claim } from '../../src/session/claim.js';

const reply = (phase: Phase, code: number): SmtpError => new SmtpReplyError({ phase, reply: makeReply(code, ['no']), command: '', message: '' });
const timeout = (limit: Limit): SmtpError => new SmtpTimeoutError({ limit, phase: 'mail', elapsed: 1, message: '' });
const gone = (outcome: Outcome): SmtpError => new SmtpConnectionError('E_CLOSED', { phase: 'mail', reason: 'closed', outcome, message: '' });
const confusion = new SmtpProtocolError('E_PROTOCOL', { phase: 'rcpt', message: '' });

interface Case extends Partial<Pick<Claim, 'isFirst' | 'overlaps' | 'isCrowdedOut'>> {
  readonly moving?: Move;
  readonly isOneTooMany?: boolean;
}

it.each<[string, SmtpError, Case, string]>([
  ['a refusal', reply('rcpt', 550), {}, ''],
  ['a refusal to one that is too many', reply('greeting', 421), { isOneTooMany: true }, 'closing'],
  ['a connection that died', gone('not-sent'), { moving: 'the-connection-died' }, 'closing'],
  ['recipients that others left no room for', reply('rcpt', 452), { isCrowdedOut: true }, 'closing'],
  ['no time left', timeout('operation'), {}, 'closing'],
  ['silence', timeout('command'), {}, ''],
  ['a failing server', reply('mail', 451), {}, 'closing'],
  ['a failing server, on a new connection', reply('mail', 451), { isFirst: true }, ''],
  ['a server that fails for a recipient', reply('rcpt', 451), {}, ''],
  ['a server that is busy', reply('mail', 450), {}, ''],
  ['a session that is full', reply('mail', 421), { moving: 'the-session-is-full' }, 'turned away'],
  ['an end with others on their way', gone('not-sent'), { overlaps: true }, 'turned away'],
  ['an end in doubt', gone('unknown'), {}, 'turned away'],
  ['an end', gone('not-sent'), {}, ''],
  ['a lost count', confusion, {}, ''],
  ['a lost count behind others', confusion, { overlaps: true }, 'bears no mails'],
  ['what was ahead', reply('rcpt', 503), { overlaps: true, moving: 'it-was-ahead' }, 'bears no mails'],
  ['commands that were ahead', reply('rcpt', 503), { moving: 'its-commands-were' }, 'bears no mails, bears no commands'],
])('what is learnt of %s', (_, error, { moving, isOneTooMany = false, ...more }, learnt) => {
  const bearing = new Bearing();
  let isTurnedAway = false;
  const session = { isClosing: false, manners: { bearing }, turnedAway: () => { isTurnedAway = true; } };
  const claim = { isFirst: false, overlaps: false, inGroup: true, isCrowdedOut: false, ...more, session };
  learnFrom(error, claim as unknown as Claim, moving, isOneTooMany);
  const all = [[session.isClosing, 'closing'], [isTurnedAway, 'turned away'], [!bearing.bearsMails, 'bears no mails'], [!bearing.bearsCommands, 'bears no commands']] as const;
  expect(all.filter(([is]) => is).map(([, what]) => what).join(', ')).toBe(learnt);
});
