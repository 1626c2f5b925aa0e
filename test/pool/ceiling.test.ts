import { TestScheduler } from 'rxjs/testing';
import { expect, it } from 'vitest';
import { Ceiling } from '../../src/pool/ceiling.js';
import { SmtpReplyError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';

it('however many connections are one too many, one may be open', () => {
  const ceiling = new Ceiling(2, new TestScheduler(() => undefined));
  const tooMany = new SmtpReplyError({ phase: 'end-of-data', command: 'the content', message: 'no', reply: makeReply(432, ['4.3.2 Concurrent connections limit exceeded']) });
  // The one that was too many before still holds mails that are on their way.
  for (let told = 0; told < 3; told += 1) expect(ceiling.isPassed(tooMany, 2)).toBe(true);
  expect(ceiling.most).toBe(1);
});
