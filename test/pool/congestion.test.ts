import { expect, it } from 'vitest';
import { Congestion } from '../../src/pool/congestion.js';
import { SmtpReplyError, SmtpTimeoutError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';

it('many mails that are turned away at one time ask for less once', () => {
  const congestion = new Congestion();
  const numbers = Array.from({ length: 8 }, () => congestion.begin());
  const error = new SmtpReplyError({ phase: 'mail', reply: makeReply(451, ['4.7.1 slow down']), command: 'MAIL', message: 'slow down' });
  for (const [index, number] of numbers.entries()) congestion.failed(error, number, 8 - index);
  expect(congestion.limit).toBe(4);
});

const slowDown = (code: number, text = 'slow down'): SmtpReplyError => new SmtpReplyError({ phase: 'mail', reply: makeReply(code, [text]), command: 'MAIL', message: text });

it('with each mail that is accepted a little more are let through, up to where it all began', () => {
  const congestion = new Congestion();
  for (let count = 0; count < 8; count += 1) congestion.begin();
  const accepted = (times: number): number => {
    for (let time = 0; time < times; time += 1) congestion.accepted();
    return congestion.limit;
  };
  expect(accepted(1)).toBe(Infinity);
  expect(congestion.failed(slowDown(450), 8, 8)).toBe(true);
  // One more of those that were begun before is no news, one that was begun since is.
  expect(congestion.failed(slowDown(450), 7, 7)).toBe(false);
  expect([accepted(7), accepted(1), accepted(23), accepted(1), accepted(1)]).toEqual([4, 5, 7, 8, Infinity]);
  expect(congestion.failed(slowDown(450), congestion.begin(), 1)).toBe(true);
  expect([congestion.limit, accepted(7), accepted(1), accepted(8), accepted(1)]).toEqual([1, 1, 2, Infinity, Infinity]);
});

it.each([[421, 1], [432, 1], [450, 1], [451, 1], [452, 1], [454, 1], [455, Infinity], [550, Infinity]])('%i to a mail lets %d at a time through', (code, limit) => {
  const congestion = new Congestion();
  congestion.failed(slowDown(code), congestion.begin(), 2);
  expect(congestion.limit).toBe(limit);
});

it.each([
  ['450 4.2.2 mailbox full', Infinity], ['452 4.2.2 mailbox full', Infinity], ['450 4.2.0 greylisted', Infinity], ['450 4.2.1 too much mail for that user', Infinity], ['451 4.1.8 domain of the sender not found', Infinity], ['450 4.1.2 domain not found', Infinity],
  ['452 4.5.3 too many recipients', Infinity], ['450 4.7.1 too much mail from you', 1], ['451 4.3.2 slow down', 1], ['452 4.3.1 insufficient storage', 1], ['450 4.3.2 not 4.2.2', 1], ['421 4.2.1 try later', 1], ['421 4.5.3 too many', 1],
] as const)('%s lets %d at a time through, to whatever it is said', (line, limit) => {
  for (const phase of ['mail', 'rcpt', 'end-of-data'] as const) {
    const congestion = new Congestion();
    const error = new SmtpReplyError({ phase, reply: makeReply(Number(line.slice(0, 3)), [line.slice(4)]), command: '', message: line });
    expect(congestion.failed(error, congestion.begin(), 2)).toBe(limit === 1);
    expect(congestion.limit).toBe(limit);
  }
});

it('a bad connection is no server that asks for less, nor is what has no reply', () => {
  const congestion = new Congestion();
  for (const error of [slowDown(451, '4.4.2 bad connection'), new SmtpTimeoutError({ limit: 'command', phase: 'mail', elapsed: 1, message: '' }), new Error('mine')]) expect(congestion.failed(error, congestion.begin(), 2)).toBe(false);
  expect(congestion.limit).toBe(Infinity);
});
