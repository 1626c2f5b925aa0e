import { Observable } from 'rxjs';
import type { Mail } from '../message/mail.js';
import { bdat } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { TransactionEvent } from '../protocol/event.js';
import type { Reply } from '../protocol/reply.js';
import type { Deadline } from '../transport/clock.js';
import { converse } from '../wire/exchange.js';
import { accept, type Marks } from './accept.js';
import type { EnvelopePlan } from './envelope-plan.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';
import { group } from './send-envelope.js';
import type { Claim, Session } from './session.js';

/**
 * A whole mail in one write: MAIL, RCPT and BDAT LAST with its content (RFC 3030 section 4.2). Nothing is waited for, so that
 * the next mail can follow at once; the price is that the content has left before the envelope was answered.
 */
export const sendAtOnce = (session: Session, claim: Claim, mail: Mail, plan: EnvelopePlan, content: Buffer, operation: Deadline, marks: Marks): Observable<TransactionEvent> =>
  new Observable((subscriber) => {
    const { wire } = session;
    const commands = [...group(claim, plan), bdat(content.length, true)];
    const replies: Reply[] = [];
    let verdict: Verdict | undefined;

    const tellEnvelope = (lost?: SmtpError): Verdict => {
      verdict = judgeEnvelope(session, claim, plan, replies, lost);
      for (const event of verdict.events) subscriber.next(event);
      marks.goAheadAt = marks.contentAt = wire.heardAt;
      if (verdict.failure === undefined) subscriber.next({ type: 'progress', bytesSent: content.length, bytesTotal: content.length });
      return verdict;
    };
    const answered = (reply: Reply): void => {
      if (replies.length < commands.length - 1) {
        replies.push(reply);
        if (replies.length === commands.length - 1) tellEnvelope();
        return;
      }
      // The reply to content that reached nobody changes nothing, but had to be waited for.
      if (verdict?.failure !== undefined) subscriber.error(verdict.failure);
      else if (verdict !== undefined) {
        subscriber.next(accept(session, claim, mail, verdict, reply, content.length, marks));
        subscriber.complete();
      }
    };
    subscriber.add(converse(wire, commands, { operation }, {
      next: (reply) => {
        try {
          answered(reply);
        } catch (refused) {
          subscriber.error(refused);
        }
      },
      // A refused envelope is the answer, whatever became of the connection; otherwise the content is in doubt.
      error: (lost) => { subscriber.error(verdict === undefined ? tellEnvelope(lost).failure : verdict.failure ?? lost); },
      complete: () => { subscriber.complete(); },
    }, content));
    if (!subscriber.closed) claim.written(content.length);
  });
