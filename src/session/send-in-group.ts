import type { Unsubscribable } from 'rxjs';
import { DATA } from '../protocol/command.js';
import { dotted } from '../protocol/content-encoder.js';
import type { SmtpError } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import { converse } from '../wire/exchange.js';
import { writeWhole } from '../wire/write-data.js';
import { giveUp } from './give-up.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';
import { group } from './send-envelope.js';
import { conclude, tellEnvelope } from './tell.js';
import type { Transaction } from './transaction.js';

/**
 * A mail in two writes: MAIL, RCPT and DATA in one group, and behind the 354 its content. The group of the next mail may
 * follow in the same write (RFC 2920 section 3.1).
 */
export const sendInGroup = (transaction: Transaction, content: Buffer): Unsubscribable => {
  const { session: { wire }, claim, plan, operation, marks, observer } = transaction;
  const replies: Reply[] = [];
  let step: Unsubscribable | undefined;

  const judge = (lost?: SmtpError): void => {
    // The group is over, and with it the deadline that watched it.
    step?.unsubscribe();
    const verdict = judgeEnvelope(claim, plan, replies, lost);
    tellEnvelope(transaction, verdict);
    // Whoever is told may cancel.
    if (claim.isOver) return;
    goOn(verdict.failure === undefined ? write(verdict) : giveUp(transaction, verdict, verdict.failure).subscribe(observer));
  };
  const goOn = (next: Unsubscribable): void => {
    // It may have ended meanwhile.
    if (claim.isOver) next.unsubscribe();
    else step = next;
  };
  const write = (verdict: Verdict): Unsubscribable => {
    const writing = writeWhole(wire, dotted(content), content.length, operation, {
      next: (reply) => { conclude(transaction, verdict, reply, content.length); },
      error: (error) => { observer.error(error); },
      complete: () => undefined,
    });
    if (writing.hasLeft && !claim.isOver) {
      marks.contentAt = wire.context.scheduler.now();
      claim.written(content.length);
      observer.next({ type: 'progress', bytesSent: content.length, bytesTotal: content.length });
    }
    return writing;
  };

  step = converse(wire, group(claim, plan, DATA), operation, {
    next: (reply) => { replies.push(reply); },
    error: judge,
    complete: () => { judge(); },
  });
  return { unsubscribe: () => { step?.unsubscribe(); } };
};
