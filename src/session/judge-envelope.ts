import type { CheckedRecipient } from '../message/envelope.js';
import { DATA, RSET } from '../protocol/command.js';
import { SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type SmtpError } from '../protocol/error.js';
import type { RefusedRecipient, TransactionEvent } from '../protocol/event.js';
import { isFarewell, isForeignYes, isOfTheSystem, isPositive, isRefusal, isTooMany, makeReply, type Reply } from '../protocol/reply.js';
import { remedyAtMail, remedyAtRcpt, remedyFor } from '../protocol/remedy.js';
import type { Wire } from '../wire/wire.js';
import type { Claim } from './claim.js';
import type { EnvelopePlan } from './envelope-plan.js';
import { failureOf, refusal, TLS_FIRST, unexpected, wantsTls } from './expect-reply.js';
import type { Session } from './session.js';

/** What the replies to an envelope amount to. */
export interface Verdict {
  readonly events: readonly TransactionEvent[];
  readonly accepted: readonly string[];
  readonly refused: readonly RefusedRecipient[];
  /** The server waits for content (354). */
  readonly goesAhead: boolean;
  /** Content that has left may reach somebody: a recipient was taken, or was not answered by a server that did not hang up. */
  readonly mayBeTaken: boolean;
  /** Every recipient was refused: what is sent now reaches nobody. */
  readonly isForNobody: boolean;
  /** Why the content must not be sent. */
  readonly failure: SmtpError | undefined;
}

/**
 * Judges an envelope when all its replies are in, or the connection is gone: `replies` are those to RSET where it was due,
 * MAIL, RCPT... and DATA where it is needed, as far as they came. The first refusal that stops the mail is its error, before
 * the loss that followed it. Nothing is told of an envelope that can be begun again in another way.
 */
export const judgeEnvelope = (claim: Claim, plan: EnvelopePlan, replies: readonly Reply[], lost: SmtpError | undefined): Verdict => {
  const { session, session: { wire } } = claim;
  const mailAt = claim.needsReset ? 1 : 0;
  const judgement = new Judgement(claim, plan);
  const failure = (claim.needsReset ? resetFailure(wire, replies[0]) : undefined) ?? judgement.judge(replies, mailAt, lost);
  const { accepted, refused, waiting, isForNobody } = judgement;
  claim.refused = refused;
  if (waiting.length > 0 && !(lost instanceof SmtpProtocolError)) unname(plan, new Set(waiting.map(([recipient]) => recipient)));
  const isUnanswered = lost instanceof SmtpTimeoutError && replies.length - mailAt < plan.commands.length;
  const mayBeTaken = accepted.length > 0 || isUnanswered || replies.slice(mailAt + 1).some(isPositive);
  const isCutOff = failure !== undefined && accepted.length > 0 && isGoodbyeToRecipient(failure);
  if (isCutOff) cutOff(session, plan, accepted.length + refused.length - plan.impossible.length - 1);
  else if (failure !== undefined && !mayBeTaken && hasTooMany(failure)) claim.hadTooMany(isGoodbyeToRecipient(failure));
  const isBegunAgain = failure !== undefined && (claim.isCrowdedOut || (claim.inGroup && isOutOfTurn(failure)) || (isCutOff && plan.part !== undefined && lost?.outcome !== 'unknown'));
  return {
    events: isBegunAgain ? NOTHING_TOLD : judgement.events,
    accepted, refused, mayBeTaken, isForNobody, failure,
    goesAhead: replies[mailAt + plan.commands.length]?.code === 354,
  };
};

/** The mail cannot reach those that were too many. */
const unname = ({ part }: EnvelopePlan, waiting: ReadonlySet<CheckedRecipient>): void => {
  if (part !== undefined) part.named = part.named.filter((recipient) => !waiting.has(recipient));
};

/** Those that were told to be too many before the goodbye are not among them. */
const cutOff = ({ manners }: Session, { part }: EnvelopePlan, borne: number): void => {
  manners.tookOnly(borne);
  if (part !== undefined) part.borne = borne;
};

const NOTHING_TOLD: readonly TransactionEvent[] = [];

/** 503 to what left together with the command before it: some servers do not bear that, whatever they announce. */
export const isOutOfTurn = ({ phase, reply }: SmtpError): boolean => reply?.code === 503 && (phase === 'rcpt' || phase === 'data');

/** The server hangs up on one recipient too many, as some do. */
export const isGoodbyeToRecipient = ({ phase, reply }: SmtpError): boolean => phase === 'rcpt' && reply !== undefined && isFarewell(reply);

/** Too many recipients, of this mail or of all in its session. */
const hasTooMany = ({ phase, reply }: SmtpError): boolean => phase === 'rcpt' && reply !== undefined && (isFarewell(reply) || (isTooMany(reply) && !isOfTheSystem(reply)));

const resetFailure = (wire: Wire, reply: Reply | undefined): SmtpError | undefined => {
  if (reply === undefined || isPositive(reply)) return undefined;
  wire.mustDrop = true;
  return failureOf(wire, 'reset', String(RSET), reply, 'Try again on another connection.');
};

/** Goes through the replies, and keeps what is found on the way. */
class Judgement {
  readonly events: TransactionEvent[] = [];
  readonly accepted: string[] = [];
  readonly refused: RefusedRecipient[] = [];
  /** Those that were too many, each with the place of its command. Nothing is told of them as long as they wait for another transaction. */
  readonly waiting: (readonly [recipient: CheckedRecipient, reply: Reply, at: number])[] = [];
  isForNobody = false;
  /** Told where nobody is left: the first one, but one that is for now before those that are for good, because a retry may reach that recipient. */
  #refusalOfAll: SmtpError | undefined;
  readonly #wire: Wire;
  readonly #plan: EnvelopePlan;
  readonly #claim: Claim;

  constructor(claim: Claim, plan: EnvelopePlan) {
    this.#wire = claim.session.wire;
    this.#claim = claim;
    this.#plan = plan;
  }

  /** Tells why the content must not be sent; the reply to MAIL stands at `mailAt`. */
  judge(replies: readonly Reply[], mailAt: number, lost: SmtpError | undefined): SmtpError | undefined {
    const { commands, impossible, chunks } = this.#plan;
    const mailReply = replies[mailAt];
    if (mailReply === undefined) return lost;
    if (!isPositive(mailReply) || isForeignYes(mailReply)) return failureOf(this.#wire, 'mail', String(commands[0]), mailReply, this.#hint(mailReply, remedyAtMail));
    this.events.push({ type: 'sender-accepted', reply: mailReply });
    impossible.forEach(({ given }) => { this.#tellRefused(given, NEEDS_SMTPUTF8); });
    const failure = this.#judgeRecipients(replies, mailAt + 1);
    if (failure !== undefined) return failure;
    const dataAt = mailAt + commands.length;
    this.isForNobody = this.accepted.length === 0 && replies.length >= dataAt;
    if (this.isForNobody) return this.#refusalOfAll ?? this.#unreachable();
    const dataReply = replies[dataAt];
    return chunks || dataReply === undefined || dataReply.code === 354 ? lost : failureOf(this.#wire, 'data', String(DATA), dataReply, remedyFor(dataReply, 'Ask its operator why.'));
  }

  /** Tells what ends the mail at once, whoever else was taken. */
  #judgeRecipients(replies: readonly Reply[], firstAt: number): SmtpError | undefined {
    const { commands, recipients, part } = this.#plan;
    for (let at = 0; at < recipients.length; at += 1) {
      const recipient = recipients[at];
      const reply = replies[firstAt + at];
      if (recipient === undefined || reply === undefined) return undefined;
      const { given } = recipient;
      if (isPositive(reply)) {
        this.accepted.push(given);
        this.events.push({ type: 'recipient-accepted', recipient: given, reply });
      } else if (!isRefusal(reply)) return unexpected(this.#wire, 'rcpt', String(commands[at + 1]), reply);
      else if (isFarewell(reply)) {
        this.refused.push({ recipient: given, reply });
        return this.#refusal(given, reply, at);
      } else if (part !== undefined && isTooMany(reply)) this.waiting.push([recipient, reply, at]);
      else this.#refuse(given, reply, at);
    }
    if (this.waiting.length === recipients.length) this.#refuseWaiting();
    return undefined;
  }

  /**
   * Where the server takes nobody, it has not too many of them, and would say so to each. But a session may be full of those before:
   * then the first has a verdict, so that each transaction gets on, and the others go elsewhere.
   */
  #refuseWaiting(): void {
    for (const [{ given }, reply, at] of this.waiting) {
      if (this.#refusalOfAll !== undefined && this.#claim.hasServed && !isOfTheSystem(reply)) return;
      this.#refuse(given, reply, at);
    }
  }

  #refuse(recipient: string, reply: Reply, at: number): void {
    this.#tellRefused(recipient, reply);
    const before = this.#refusalOfAll;
    if (before === undefined || (!before.retryable && (reply.severity === 4 || isTooMany(reply)))) this.#refusalOfAll = this.#refusal(recipient, reply, at);
  }

  #tellRefused(recipient: string, reply: Reply): void {
    this.refused.push({ recipient, reply });
    this.events.push({ type: 'recipient-refused', recipient, reply });
  }

  #refusal(recipient: string, reply: Reply, at: number): SmtpError {
    const hint = isFarewell(reply) || isTooMany(reply) ? 'Send it again later, or to fewer recipients.' : this.#hint(reply, remedyAtRcpt);
    return refusal(this.#wire, 'rcpt', String(this.#plan.commands[at + 1]), reply, hint, recipient);
  }

  #hint(reply: Reply, remedyAt: typeof remedyAtMail): string {
    return wantsTls(reply, this.#wire) ? TLS_FIRST : remedyAt(reply, this.#claim.isSignedIn);
  }

  /** The recipients that cannot be told to this server may be all that there are. */
  #unreachable(): SmtpError | undefined {
    const [recipient] = this.#plan.impossible;
    return recipient === undefined ? undefined : new SmtpReplyError({
      phase: 'rcpt', reply: NEEDS_SMTPUTF8, command: `RCPT TO:<${recipient.given}>`, recipient: recipient.given, transcript: this.#wire.transcript(),
      message: `${this.#wire.context.peer} cannot be told RCPT TO:<${recipient.given}>: ${NEEDS_SMTPUTF8.lines.join(' ')}. Use an ASCII address.`,
    });
  }
}

// RFC 6531 section 3.5: what the server would have to say to such an address. It is never asked.
const NEEDS_SMTPUTF8: Reply = makeReply(553, ['5.6.7 This address needs SMTPUTF8, which the server does not offer']);
