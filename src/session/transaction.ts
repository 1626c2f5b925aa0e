import { Subscription, type Observer, type Unsubscribable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import type { Mail } from '../message/mail.js';
import type { TransactionEvent } from '../protocol/event.js';
import type { Deadline } from '../transport/clock.js';
import { FIRST_BLOCK } from '../wire/block-reader.js';
import type { Claim } from './claim.js';
import { planEnvelope, type EnvelopePlan, type Part } from './envelope-plan.js';
import { sendAtOnce } from './send-at-once.js';
import { sendInBlocks } from './send-in-blocks.js';
import { sendWhole } from './send-whole.js';
import type { Session } from './session.js';

/** What one transaction is about, and the clock that it runs against. */
interface TransactionContext {
  readonly mail: Mail;
  /** Undefined: all recipients are named in this one transaction. */
  readonly part: Part | undefined;
  /** Opened once for all tries; nothing of a stream was read yet. */
  readonly content: OpenContent;
  /** Counts from when the send was subscribed to. */
  readonly operation: Deadline;
}

/** One mail on its session. */
export interface Transaction extends Omit<TransactionContext, 'part'> {
  readonly session: Session;
  readonly claim: Claim;
  readonly plan: EnvelopePlan;
  readonly marks: Marks;
  readonly observer: Observer<TransactionEvent>;
}

/** When the parts of a send were reached, on the scheduler's clock. */
interface Marks {
  readonly startedAt: number;
  readonly readyAt: number;
  goAheadAt: number;
  contentAt: number;
}

/**
 * THE MAIL (RFC 5321 section 3.3): the envelope, the content, and the server's verdict. Tells what happens in that order,
 * `accepted` last. Three ways, by what the server offers and was found to bear: small content leaves along with its envelope
 * (CHUNKING), or in one write when that was answered; any other content goes block by block.
 */
export const transact = (claim: Claim, { mail, part, content, operation }: TransactionContext, observer: Observer<TransactionEvent>): Unsubscribable => {
  const { session } = claim;
  const plan = planEnvelope(session, mail, content, part);
  const { recipients, failure, whole, chunks, warnings } = plan;
  if (failure !== undefined) throw failure;
  warnings.forEach((warning) => { observer.next(warning); });
  // Whoever is warned may cancel.
  if (claim.isOver) return Subscription.EMPTY;
  session.quota?.spend(recipients);
  if (part !== undefined) part.named = recipients;
  const readyAt = session.wire.context.scheduler.now();
  const marks: Marks = { startedAt: operation.since, readyAt, goAheadAt: readyAt, contentAt: readyAt };
  const transaction: Transaction = { session, claim, mail, content, operation, plan, marks, observer };
  // Its content waits for the envelope to be answered, so that it can move. On a new connection a slow server has its time.
  if (!claim.isFirst && claim.mayMove && session.mayBeGone) session.wire.hurry();
  // Where RSET is refused, content sent along with it would reach the recipients of the mail before. And a server that hangs up
  // on one recipient too many leaves content that was sent along in doubt. A composed message that nothing is in front of is no
  // part of a stream of mails: it stays out of doubt until its envelope was answered.
  const mayGoAlong = session.chunks && session.isFresh && !claim.isBehindFailure && recipients.length <= session.manners.recipients && (mail.isComposed !== true || claim.overlaps);
  if (whole !== undefined && mayGoAlong) return sendAtOnce(transaction, whole);
  // Larger content is in doubt all the while it leaves, which is worth it only where the next mail's group follows in the same write.
  const isBrief = whole !== undefined && (whole.length <= FIRST_BLOCK || (session.pipelines && !chunks));
  return isBrief ? sendWhole(transaction, whole) : sendInBlocks(transaction).subscribe(observer);
};
