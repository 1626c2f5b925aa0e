import type { Observer, Unsubscribable } from 'rxjs';
import type { Mail } from '../message/mail.js';
import { bdat } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { TransactionEvent } from '../protocol/event.js';
import type { Reply } from '../protocol/reply.js';
import type { Deadline } from '../transport/clock.js';
import { converse } from '../wire/exchange.js';
import type { ReplySink } from '../wire/expectation.js';
import { accept, type Marks } from './accept.js';
import type { EnvelopePlan } from './envelope-plan.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';
import { group } from './send-envelope.js';
import type { Claim, Session } from './session.js';

/**
 * A whole mail in one write: MAIL, RCPT and BDAT LAST with its content (RFC 3030 section 4.2). Nothing is waited for, so that
 * the next mail can follow at once; the price is that the content has left before the envelope was answered.
 */
export const sendAtOnce = (session: Session, claim: Claim, mail: Mail, plan: EnvelopePlan, content: Buffer, operation: Deadline, marks: Marks, observer: Observer<TransactionEvent>): Unsubscribable => {
  const { wire } = session;
  const commands = [...group(claim, plan), bdat(content.length, true)];
  const replies: Reply[] = [];
  let verdict: Verdict | undefined;

  const tellEnvelope = (lost?: SmtpError): Verdict => {
    verdict = judgeEnvelope(session, claim, plan, replies, lost);
    for (const event of verdict.events) observer.next(event);
    marks.goAheadAt = marks.contentAt = wire.heardAt;
    if (verdict.failure === undefined) observer.next({ type: 'progress', bytesSent: content.length, bytesTotal: content.length });
    return verdict;
  };
  const decide = (judged: Verdict, reply: Reply): void => {
    // The reply to content that reached nobody changes nothing, but had to be waited for.
    if (judged.failure !== undefined) { observer.error(judged.failure); return; }
    let accepted: TransactionEvent;
    try {
      accepted = accept(session, claim, mail, judged, reply, content.length, marks);
    } catch (refused) {
      observer.error(refused);
      return;
    }
    observer.next(accepted);
    observer.complete();
  };
  const sink: ReplySink = {
    next: (reply) => {
      if (verdict !== undefined) { decide(verdict, reply); return; }
      replies.push(reply);
      if (replies.length === commands.length - 1) tellEnvelope();
    },
    // A refused envelope is the answer, whatever became of the connection; otherwise the content is in doubt.
    error: (lost) => { observer.error(verdict === undefined ? tellEnvelope(lost).failure : verdict.failure ?? lost); },
    complete: () => undefined,
  };
  const conversation = converse(wire, commands, { operation }, sink, content);
  if (!wire.failed) claim.written(content.length);
  return conversation;
};
