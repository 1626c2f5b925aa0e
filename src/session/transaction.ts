import { catchError, concat, concatMap, defer, EMPTY, map, Observable, throwError, type Observer, type Unsubscribable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import type { Mail } from '../message/mail.js';
import { CanonicalLines, DotStuffing, Untouched, type ContentEncoder } from '../protocol/dot-stuffing.js';
import type { SmtpError } from '../protocol/error.js';
import type { TransactionEvent } from '../protocol/event.js';
import type { Deadline } from '../transport/clock.js';
import type { ContentEvent } from '../wire/content-event.js';
import { writeChunks } from '../wire/write-chunks.js';
import { writeData } from '../wire/write-data.js';
import { accept, type Marks } from './accept.js';
import { planEnvelope, type EnvelopePlan } from './envelope-plan.js';
import type { Verdict } from './judge-envelope.js';
import { throttleProgress } from './progress.js';
import { sendAtOnce } from './send-at-once.js';
import { sendEnvelope } from './send-envelope.js';
import type { Claim, Session } from './session.js';

/** What one transaction is about, and the clock that it runs against. */
export interface TransactionContext {
  readonly mail: Mail;
  /** Opened once for all tries; nothing of a stream was read yet. */
  readonly content: OpenContent;
  /** Counts from when the send was subscribed to. */
  readonly operation: Deadline;
}

/**
 * THE MAIL (RFC 5321 section 3.3): the envelope, the content, and the server's verdict. Tells what happens in that order,
 * `accepted` last. Three ways, by what the server offers: all at once (CHUNKING), an envelope in one group and then the
 * content (PIPELINING), or command by command.
 */
export const transact = (session: Session, claim: Claim, { mail, content, operation }: TransactionContext, observer: Observer<TransactionEvent>): Unsubscribable => {
  const plan = planEnvelope(session, mail, content);
  const { failure, atOnce, warnings } = plan;
  if (failure !== undefined) throw failure;
  for (const warning of warnings) observer.next(warning);
  const readyAt = session.wire.context.scheduler.now();
  const marks: Marks = { startedAt: operation.since, readyAt, goAheadAt: readyAt, contentAt: readyAt };
  return atOnce !== undefined && session.isFresh
    ? sendAtOnce(session, claim, mail, plan, atOnce, operation, marks, observer)
    : sendInTurn(session, claim, mail, plan, content, operation, marks).subscribe(observer);
};

/** The envelope, and when it was accepted the content. */
const sendInTurn = (session: Session, claim: Claim, mail: Mail, plan: EnvelopePlan, content: OpenContent, operation: Deadline, marks: Marks): Observable<TransactionEvent> =>
  sendEnvelope(session, claim, plan, operation).pipe(
    concatMap((verdict) => {
      // From a 354 on nothing but content may follow, also where whoever is told of the envelope cancels the mail.
      session.wire.mustDrop ||= verdict.goesAhead;
      return told(verdict.events, verdict.failure === undefined ? sendContent(session, claim, mail, plan, verdict, content, operation, marks) : giveUp(session, verdict, verdict.failure, operation));
    }),
  );

/** `startWith` for many values, in one observable. */
const told = (events: readonly TransactionEvent[], next$: Observable<TransactionEvent>): Observable<TransactionEvent> =>
  new Observable((subscriber) => {
    for (const event of events) subscriber.next(event);
    return subscriber.closed ? undefined : next$.subscribe(subscriber);
  });

const sendContent = (session: Session, claim: Claim, mail: Mail, { size, eightBit }: EnvelopePlan, verdict: Verdict, content: OpenContent, operation: Deadline, marks: Marks): Observable<TransactionEvent> => {
  const { scheduler } = session.wire.context;
  const [write, encoder]: [typeof writeData, ContentEncoder] = session.chunks ? [writeChunks, mail.binary === true ? new Untouched() : new CanonicalLines()] : [writeData, new DotStuffing()];
  marks.goAheadAt = marks.contentAt = session.wire.heardAt;
  return write(session.wire, content, { operation, encoder, eightBit }).pipe(
    throttleProgress(scheduler),
    map((event: ContentEvent): TransactionEvent => {
      if (event.type === 'verdict') return accept(session, claim, mail, verdict, event.reply, event.bytes, marks);
      marks.contentAt = scheduler.now();
      if (event.finished) claim.written(event.bytes);
      return { type: 'progress', bytesSent: event.bytes, ...(size === undefined ? {} : { bytesTotal: event.finished ? event.bytes : Math.max(size, event.bytes) }) };
    }),
  );
};

/**
 * The content must not be sent. Where all recipients were refused, a 354 is answered with a lone dot and that reply is
 * ignored (RFC 2920 section 3.1); any other 354 leaves only the connection to drop.
 */
const giveUp = ({ wire }: Session, { goesAhead, isForNobody }: Verdict, failure: SmtpError, operation: Deadline): Observable<never> => {
  const loneDot = defer(() => writeData(wire, NO_CONTENT, { operation, encoder: new DotStuffing(), eightBit: true })).pipe(concatMap(() => EMPTY), catchError(() => EMPTY));
  return concat(goesAhead && isForNobody ? loneDot : EMPTY, throwError(() => failure));
};

const NO_CONTENT: OpenContent = { kind: 'bytes', bytes: Buffer.alloc(0), dispose: () => undefined };
