import { catchError, concat, concatMap, defer, EMPTY, from, map, Observable, of, throwError } from 'rxjs';
import type { Mail } from '../message/mail.js';
import type { OpenContent } from '../message/content.js';
import { DATA, RSET } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { TransactionEvent } from '../protocol/event.js';
import { isPositive, isRefusal, queueId, type Reply } from '../protocol/reply.js';
import type { Deadline } from '../transport/clock.js';
import { exchange } from '../wire/exchange.js';
import { writeContent, type ContentEvent } from '../wire/write-content.js';
import { planEnvelope, type EnvelopePlan } from './envelope-plan.js';
import { refusal, unexpected } from './expect-reply.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';
import { throttleProgress } from './progress.js';
import type { Session } from './session.js';

/** What one transaction is about, and the clock that it runs against. */
export interface TransactionContext {
  readonly operation: Deadline;
  /** When the send was subscribed to, on the scheduler's clock. */
  readonly startedAt: number;
}

/**
 * THE MAIL (RFC 5321 section 3.3): the envelope, the content, and the server's verdict. Emits what happens in that order,
 * `accepted` last. A mail that did not end well leaves the session in need of RSET; one that broke off inside its content
 * leaves it unusable.
 */
export const transaction = (session: Session, mail: Mail, context: TransactionContext): Observable<TransactionEvent> =>
  defer(() => {
    const { scheduler } = session.wire.context;
    const readyAt = scheduler.now();
    const content = mail.open();
    const plan = planEnvelope(session, mail, content);
    return concat(
      from(plan.warnings),
      sendEnvelope(session, plan, context).pipe(
        concatMap((verdict) => concat(
          from(verdict.events),
          defer(() => (verdict.failure === undefined ? sendContent(session, mail, content, plan, verdict, { ...context, readyAt }) : giveUp(session, verdict, verdict.failure, context))),
        )),
      ),
    ).pipe(catchError((error: unknown) => { content.dispose(); return throwError(() => error); }));
  });

/** MAIL, RCPT and DATA: one group where the server pipelines, else one after the other; all replies, and then a verdict. */
const sendEnvelope = (session: Session, plan: EnvelopePlan, { operation }: TransactionContext): Observable<Verdict> => {
  const { wire, settings, capabilities } = session;
  if (plan.failure !== undefined) return throwError(() => plan.failure);
  const reset = session.needsReset ? [RSET] : [];
  session.needsReset = true;
  session.mails += 1;
  const judge = ({ replies, lost }: Answers): Verdict => {
    const [resetReply] = replies.splice(0, reset.length);
    const failure = resetReply === undefined || isPositive(resetReply) ? lost : unexpected(wire, 'reset', 'RSET', resetReply);
    return judgeEnvelope(session, plan, replies, failure);
  };
  const group = [...reset, plan.mail, ...plan.recipients.map(({ command }) => command)];
  if (settings.pipelining.enabled && capabilities.has('PIPELINING'))
    return collect(exchange(wire, [...group, DATA], { operation })).pipe(map(judge));
  // Nothing follows a refused RSET or MAIL; a refused recipient stops nobody else, unless the server says goodbye.
  const goOn = (reply: Reply, index: number): boolean => reply.code !== 421 && (index > reset.length || isPositive(reply));
  let index = 0;
  return collect(exchange(wire, group, { operation, lockstep: { goOn: (reply) => goOn(reply, index++) } })).pipe(
    concatMap((answers) => {
      const accepted = answers.replies.slice(reset.length + 1).some(isPositive);
      return !accepted || answers.lost !== undefined || answers.replies.length < group.length
        ? of(answers)
        : collect(exchange(wire, [DATA], { operation })).pipe(map((data): Answers => ({ replies: [...answers.replies, ...data.replies], lost: data.lost })));
    }),
    map(judge),
  );
};

interface Answers {
  readonly replies: Reply[];
  readonly lost: SmtpError | undefined;
}

/** All replies of a group, and the failure that cut it short: a server may say why before it hangs up. */
const collect = (replies$: Observable<Reply>): Observable<Answers> =>
  new Observable((subscriber) => {
    const replies: Reply[] = [];
    const answer = (lost?: SmtpError): void => {
      subscriber.next({ replies, lost });
      subscriber.complete();
    };
    return replies$.subscribe({ next: (reply) => { replies.push(reply); }, error: answer, complete: answer });
  });

/**
 * The content must not be sent. Where all recipients were refused, a 354 is answered with a lone dot and that reply is
 * ignored (RFC 2920 section 3.1); any other 354 leaves only the connection to drop.
 */
const giveUp = ({ wire }: Session, { goesAhead, isForNobody }: Verdict, failure: SmtpError, { operation }: TransactionContext): Observable<never> => {
  wire.mustDrop ||= goesAhead && !isForNobody;
  const loneDot = writeContent(wire, NO_CONTENT, { operation, eightBit: true }).pipe(concatMap(() => EMPTY), catchError(() => EMPTY));
  return concat(goesAhead && isForNobody ? loneDot : EMPTY, throwError(() => failure));
};

const NO_CONTENT: OpenContent = { kind: 'bytes', bytes: Buffer.alloc(0), dispose: () => undefined };

const sendContent = (session: Session, mail: Mail, content: OpenContent, plan: EnvelopePlan, verdict: Verdict, { operation, startedAt, readyAt }: TransactionContext & { readonly readyAt: number }): Observable<TransactionEvent> => {
  const { wire, capabilities } = session;
  const { scheduler } = wire.context;
  const goAheadAt = scheduler.now();
  let contentAt = goAheadAt;
  const accepted = (reply: Reply, bytes: number): TransactionEvent => {
    if (isRefusal(reply)) throw refusal(wire, 'end-of-data', 'the content', reply, 'The mail was not accepted.');
    if (!isPositive(reply)) throw unexpected(wire, 'end-of-data', 'the end of data', reply);
    session.needsReset = false;
    const id = queueId(reply);
    const now = scheduler.now();
    return {
      type: 'accepted',
      receipt: {
        messageId: mail.messageId, envelope: mail.envelope.envelope, reply, bytes, accepted: verdict.accepted, refused: verdict.refused,
        ...(id === undefined ? {} : { queueId: id }),
        timings: { connect: readyAt - startedAt, envelope: goAheadAt - readyAt, content: contentAt - goAheadAt, acceptance: now - contentAt, total: now - startedAt },
      },
    };
  };
  return writeContent(wire, content, { operation, eightBit: capabilities.has('8BITMIME') }).pipe(
    throttleProgress(scheduler),
    map((event: ContentEvent): TransactionEvent => {
      if (event.type === 'verdict') return accepted(event.reply, event.bytes);
      contentAt = scheduler.now();
      return { type: 'progress', bytesSent: event.bytes, ...(plan.size === undefined ? {} : { bytesTotal: event.finished ? event.bytes : Math.max(plan.size, event.bytes) }) };
    }),
  );
};

