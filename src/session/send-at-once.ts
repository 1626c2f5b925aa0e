import type { Unsubscribable } from 'rxjs';
import { bdat } from '../protocol/command.js';
import { SmtpReplyError, type SmtpError } from '../protocol/error.js';
import { isPositive, type Reply } from '../protocol/reply.js';
import { converse } from '../wire/exchange.js';
import { unexpected } from './expect-reply.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';
import { group } from './send-envelope.js';
import { conclude, tellEnvelope } from './tell.js';
import type { Transaction } from './transaction.js';

/**
 * A whole mail in one write: MAIL, RCPT and BDAT LAST with its content (RFC 3030 section 4.2). Nothing is waited for, so that
 * the next mail can follow at once; the price is that the content has left before the envelope was answered.
 */
export const sendAtOnce = (transaction: Transaction, content: Buffer): Unsubscribable => {
  const { session, claim, plan, operation, observer } = transaction;
  const commands = [...group(claim, plan), bdat(content.length, true)];
  const replies: Reply[] = [];
  let verdict: Verdict | undefined;

  const judge = (lost?: SmtpError): Verdict => {
    verdict = judgeEnvelope(session, claim, plan, replies, lost);
    tellEnvelope(transaction, verdict);
    if (verdict.failure === undefined) observer.next({ type: 'progress', bytesSent: content.length, bytesTotal: content.length });
    return verdict;
  };
  /** The server took one, whatever it made of the rest of the envelope. */
  const hasRecipient = (): boolean => replies.slice(commands.length - 1 - plan.recipients.length).some(isPositive);
  const conversation = converse(session.wire, commands, { operation }, {
    next: (reply) => {
      if (verdict === undefined) {
        replies.push(reply);
        if (replies.length === commands.length - 1) judge();
      } else if (verdict.failure === undefined) conclude(transaction, verdict, reply, content.length);
      // The reply to content that reached nobody changes nothing, but had to be waited for.
      else observer.error(isPositive(reply) && (!(verdict.failure instanceof SmtpReplyError) || hasRecipient()) ? unexpected(session.wire, 'end-of-data', 'the content behind a failed envelope', reply) : verdict.failure);
    },
    // A refused envelope is the answer, whatever became of the connection; otherwise the content is in doubt.
    error: (lost) => {
      const { failure } = verdict ?? judge(lost);
      observer.error(failure instanceof SmtpReplyError ? failure : lost);
    },
    complete: () => undefined,
  }, content);
  if (!session.wire.failed) claim.written(content.length);
  return conversation;
};
