import { expect, it } from 'vitest';
import { Congestion } from '../../src/pool/congestion.js';
import { SmtpReplyError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';

it('many mails that are turned away at one time ask for less once', () => {
  const congestion = new Congestion();
  const numbers = Array.from({ length: 8 }, () => congestion.begin());
  const error = new SmtpReplyError({ phase: 'mail', reply: makeReply(451, ['4.7.1 slow down']), command: 'MAIL', message: 'slow down' });
  for (const [index, number] of numbers.entries()) congestion.failed(error, number, 8 - index);
  expect(congestion.limit).toBe(4);
});
