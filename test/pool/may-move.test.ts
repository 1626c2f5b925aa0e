import { expect, it } from 'vitest';
import { mayMove, type Move } from '../../src/pool/may-move.js';
import { SmtpConnectionError, SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type Outcome, type Phase, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Limit } from '../../src/protocol/timeouts.js';

const reply = (phase: Phase, code: number, text = 'no'): SmtpError => new SmtpReplyError({ phase, reply: makeReply(code, [text]), command: '', message: '' });
const timeout = (limit: Limit, outcome: Outcome = 'not-sent'): SmtpError => new SmtpTimeoutError({ limit, phase: 'mail', outcome, elapsed: 1, message: '' });
const gone = (outcome: Outcome = 'not-sent'): SmtpError => new SmtpConnectionError('E_CLOSED', { phase: 'mail', reason: 'closed', outcome, message: '' });
const protocol = (phase: Phase): SmtpError => new SmtpProtocolError('E_PROTOCOL', { phase, message: '' });

type Claimed = Parameters<typeof mayMove>[1];

const LATER: Claimed = { isFirst: false, overlaps: false, inGroup: false, hasServed: false, isSignedIn: false, isCrowdedOut: false };
const FIRST: Claimed = { ...LATER, isFirst: true };
const AHEAD: Claimed = { ...LATER, overlaps: true, inGroup: true };
const SERVED: Claimed = { ...LATER, hasServed: true };

it.each<[string, Claimed, SmtpError, Move | undefined]>([
  ['a connection that is gone', LATER, gone(), 'the-connection-died'],
  ['a connection that is gone, with what may have been taken', LATER, gone('unknown'), undefined],
  ['a new connection that is gone', FIRST, gone(), undefined],
  ['a certificate that is bad', LATER, new SmtpConnectionError('E_CERTIFICATE', { phase: 'tls', reason: 'pin', message: '' }), undefined],
  ['silence', LATER, timeout('command'), 'the-connection-died'],
  ['silence about what may have been taken', LATER, timeout('command', 'unknown'), undefined],
  ['no time left', LATER, timeout('operation'), undefined],
  ['a client that closes', LATER, timeout('close'), undefined],
  ['silence about what was sent ahead', AHEAD, timeout('command'), 'it-was-ahead'],
  ['no time left for what was sent ahead', AHEAD, timeout('operation'), undefined],
  ['a count that is lost behind others', AHEAD, protocol('mail'), 'it-was-ahead'],
  ['a count that is lost alone', LATER, protocol('mail'), undefined],
  ['503 behind others', AHEAD, reply('rcpt', 503), 'it-was-ahead'],
  ['503 behind a command', { ...LATER, inGroup: true }, reply('rcpt', 503), 'its-commands-were'],
  ['503 behind a command, on a new connection', { ...FIRST, inGroup: true }, reply('data', 503), 'its-commands-were'],
  ['503 to the first command', { ...LATER, inGroup: true }, reply('mail', 503), undefined],
  ['503 where commands go one by one', LATER, reply('rcpt', 503), undefined],
  ['recipients that others left no room for', { ...LATER, isCrowdedOut: true }, reply('rcpt', 452), 'it-was-crowded-out'],
  ['a sender that others left no room for', { ...LATER, isCrowdedOut: true }, reply('mail', 550), undefined],
  ['a goodbye to the sender', LATER, reply('mail', 421), 'the-session-is-full'],
  ['a goodbye to the sender, on a new connection', FIRST, reply('mail', 421), undefined],
  ['a goodbye to a recipient', LATER, reply('rcpt', 421), undefined],
  ['a goodbye to DATA', LATER, reply('data', 421), 'the-connection-died'],
  ['a bad connection', LATER, reply('mail', 451, '4.4.2 bad'), 'the-connection-died'],
  ['a bad connection, as Exchange says it', LATER, reply('mail', 451, '4.7.0 Timeout waiting for client input'), 'the-connection-died'],
  ['a server that fails', LATER, reply('mail', 451, '4.7.0 Temporary server error'), undefined],
  ['a bad connection behind DATA', LATER, reply('end-of-data', 451, '4.4.2 bad'), undefined],
  ['a goodbye to a bad connection', LATER, reply('mail', 421, '4.4.2 bad'), 'the-connection-died'],
  ['too many mails', LATER, reply('mail', 452, '4.5.3 many'), 'the-session-is-full'],
  ['too many mails, for good', LATER, reply('mail', 552, '5.5.3 many'), undefined],
  ['a full disk', LATER, reply('mail', 452, '4.3.1 full'), undefined],
  ['a session that is forgotten', SERVED, reply('mail', 503), 'the-session-is-full'],
  ['a session that is not known', LATER, reply('mail', 503), undefined],
  ['a sign-in that is forgotten', { ...SERVED, isSignedIn: true }, reply('mail', 530), 'the-session-is-full'],
  ['a sign-in that never was', SERVED, reply('mail', 530), undefined],
  ['a sign-in that is not known', { ...LATER, isSignedIn: true }, reply('mail', 530), undefined],
  ['a RSET that is refused', LATER, reply('reset', 502), 'the-connection-died'],
  ['a RSET that is not known, in front of what was sent ahead', AHEAD, reply('reset', 502), 'it-was-ahead'],
  ['a RSET that is refused for now, in front of what was sent ahead', AHEAD, reply('reset', 451), 'the-connection-died'],
  ['a refusal', SERVED, reply('mail', 550), undefined],
])('may a mail move: %s', (_, claim, error, move) => {
  expect(mayMove(error, claim)).toBe(move);
});

it('a mail does not move for what is no SmtpError', () => {
  expect(mayMove(new Error('mine'), LATER)).toBeUndefined();
});
