import type { Unsubscribable } from 'rxjs';
import { DATA } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import { converse } from '../wire/exchange.js';
import type { ReplySink } from '../wire/expectation.js';
import { writeWholeChunk, writeWholeData } from '../wire/write-whole.js';
import { giveUp } from './give-up.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';
import { group, oneByOne } from './send-envelope.js';
import { conclude, tellEnvelope } from './tell.js';
import type { Transaction } from './transaction.js';

/**
 * The envelope, in one group or command by command, and when it was accepted all of the content in one write. The group of the
 * next mail may follow in the same write (RFC 2920 section 3.1).
 */
export const sendWhole = (transaction: Transaction, content: Buffer): Unsubscribable => {
  const { session, claim, plan, operation, marks, observer } = transaction;
  const { wire } = session;
  const replies: Reply[] = [];
  let step: Unsubscribable | undefined;

  const judge = (lost?: SmtpError): void => {
    // The envelope is over, and with it the deadline that watched it.
    step?.unsubscribe();
    const verdict = judgeEnvelope(claim, plan, replies, lost);
    tellEnvelope(transaction, verdict);
    // Whoever is told may cancel.
    if (claim.isOver) return;
    goOn(verdict.failure === undefined ? write(verdict) : giveUp(transaction, verdict).subscribe(observer));
  };
  const goOn = (next: Unsubscribable): void => {
    // It may have ended meanwhile.
    if (claim.isOver) next.unsubscribe();
    else step = next;
  };
  const write = (verdict: Verdict): Unsubscribable => {
    const sink: ReplySink = {
      next: (reply) => { conclude(transaction, verdict, reply, content.length); },
      error: (error) => { observer.error(error); },
      complete: () => undefined,
    };
    const writing = (plan.chunks ? writeWholeChunk : writeWholeData)(wire, content, operation, sink);
    if (writing.hasLeft && !claim.isOver) {
      marks.contentAt = wire.context.scheduler.now();
      claim.written(content.length);
      observer.next({ type: 'progress', bytesSent: content.length, bytesTotal: content.length });
    }
    return writing;
  };

  const commands = group(claim, plan, plan.chunks ? undefined : DATA);
  const answers: ReplySink = { next: (reply) => { replies.push(reply); }, error: judge, complete: () => { judge(); } };
  const envelope = session.pipelines ? converse(wire, commands, operation, answers) : oneByOne(wire, commands, operation).subscribe(answers);
  // Over a stream of the caller's own, the answers to a long one may be there before it has returned.
  if (step === undefined) step = envelope;
  else envelope.unsubscribe();
  return { unsubscribe: () => { step?.unsubscribe(); } };
};
