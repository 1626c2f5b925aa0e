import { concatMap, ignoreElements, Observable, Subscription, tap, type Observer, type Unsubscribable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import type { Mail } from '../message/mail.js';
import { CanonicalLines, DotStuffing, Untouched, type ContentEncoder } from '../protocol/dot-stuffing.js';
import type { TransactionEvent } from '../protocol/event.js';
import type { Deadline } from '../transport/clock.js';
import { writeChunks } from '../wire/write-chunks.js';
import { writeData } from '../wire/write-data.js';
import type { Claim } from './claim.js';
import { planEnvelope, type EnvelopePlan, type Part } from './envelope-plan.js';
import { giveUp } from './give-up.js';
import type { Verdict } from './judge-envelope.js';
import { throttleProgress } from './progress.js';
import { sendAtOnce } from './send-at-once.js';
import { sendEnvelope } from './send-envelope.js';
import { sendInGroup } from './send-in-group.js';
import type { Session } from './session.js';
import { conclude, tellEnvelope } from './tell.js';

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
 * `accepted` last. Three ways, by what the server offers: all at once (CHUNKING), an envelope in one group and then the
 * content (PIPELINING), or step by step.
 */
export const transact = (session: Session, claim: Claim, { mail, part, content, operation }: TransactionContext, observer: Observer<TransactionEvent>): Unsubscribable => {
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
  // Where RSET is refused, content sent along with it would reach the recipients of the mail before. And a server that hangs up
  // on one recipient too many leaves content that was sent along in doubt.
  if (whole !== undefined && session.chunks && session.isFresh && !claim.isBehindFailure && recipients.length <= session.manners.recipients) return sendAtOnce(transaction, whole);
  if (whole !== undefined && session.pipelines && !chunks) return sendInGroup(transaction, whole);
  return sendInTurn(transaction).subscribe(observer);
};

/** The envelope, and when it was accepted the content. */
const sendInTurn = (transaction: Transaction): Observable<never> => {
  const { session, claim, plan, operation } = transaction;
  return sendEnvelope(session, claim, plan, operation).pipe(concatMap((verdict) => afterEnvelope(transaction, verdict)));
};

const afterEnvelope = (transaction: Transaction, verdict: Verdict): Observable<never> =>
  new Observable((subscriber) => {
    tellEnvelope(transaction, verdict);
    if (subscriber.closed) return;
    const { failure } = verdict;
    subscriber.add((failure === undefined ? sendContent(transaction, verdict) : giveUp(transaction, verdict, failure)).subscribe(subscriber));
  });

const sendContent = (transaction: Transaction, verdict: Verdict): Observable<never> => {
  const { session, claim, mail, content, plan: { size, chunks, eightBit }, operation, marks, observer } = transaction;
  const { wire } = session;
  const { scheduler } = wire.context;
  const [write, encoder]: [typeof writeData, ContentEncoder] = chunks ? [writeChunks, mail.binary === true ? new Untouched() : new CanonicalLines()] : [writeData, new DotStuffing()];
  return write(wire, content, { operation, encoder, eightBit, sizeLimit: session.offers.sizeLimit, isOneByOne: !session.pipelines }).pipe(
    throttleProgress(scheduler),
    tap((event) => {
      if (event.type === 'verdict') {
        conclude(transaction, verdict, event.reply, event.bytes);
        return;
      }
      marks.contentAt = scheduler.now();
      if (event.finished) claim.written(event.bytes);
      observer.next({ type: 'progress', bytesSent: event.bytes, ...(size === undefined ? {} : { bytesTotal: event.finished ? event.bytes : Math.max(size, event.bytes) }) });
      // Line ends that are mended make content longer than was said, and nothing makes it shorter.
      if (event.finished && size !== undefined && (event.bytes < size || event.taken > size)) observer.next({
        type: 'warning', code: 'W_SIZE',
        message: `The content ended after ${String(event.bytes)} bytes, where "size" says ${String(size)}: it may ${event.bytes < size ? 'be cut off' : 'hold more than it should'}. Mend its source or "size", or leave "size" out.`,
      });
    }),
    ignoreElements(),
  );
};
