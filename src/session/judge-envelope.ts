import { DATA, RSET } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { TransactionEvent } from '../protocol/event.js';
import { isFarewell, isPositive, isRefusal, type Reply } from '../protocol/reply.js';
import type { EnvelopePlan } from './envelope-plan.js';
import { refusal, unexpected } from './expect-reply.js';
import type { Claim, Session } from './session.js';

/** What the replies to an envelope amount to. */
export interface Verdict {
  readonly events: readonly TransactionEvent[];
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly recipient: string; readonly reply: Reply }[];
  /** The server waits for content (354). */
  readonly goesAhead: boolean;
  /** Every recipient was refused: what is sent now reaches nobody. */
  readonly isForNobody: boolean;
  /** Why the content must not be sent. */
  readonly failure: SmtpError | undefined;
}

/**
 * Judges an envelope when all its replies are in, or the connection is gone: `all` are those to RSET where it was due, MAIL,
 * RCPT... and DATA where it is needed, as far as they came. The first refusal that stops the mail is its error, before the
 * loss that followed it.
 */
export const judgeEnvelope = (session: Session, claim: Claim, plan: EnvelopePlan, all: readonly Reply[], lost: SmtpError | undefined): Verdict => {
  const { wire } = session;
  const [resetReply] = claim.needsReset ? all : [];
  const [mailReply, ...rest] = claim.needsReset ? all.slice(1) : all;
  const recipientReplies = rest.slice(0, plan.recipients.length);
  const dataReply = rest[plan.recipients.length];
  const events: TransactionEvent[] = [];
  const accepted: string[] = [];
  const refused = [...plan.impossible];
  const goesAhead = dataReply?.code === 354;
  const verdict = (failure: SmtpError | undefined, isForNobody = false): Verdict => ({ events, accepted, refused, goesAhead: goesAhead && !wire.failed, isForNobody, failure });

  if (resetReply !== undefined && !isPositive(resetReply)) {
    wire.mustDrop = true;
    return verdict(isRefusal(resetReply) ? refusal(wire, 'reset', RSET.toString(), resetReply, 'Try again on another connection.') : unexpected(wire, 'reset', RSET.toString(), resetReply));
  }
  if (mailReply === undefined) return verdict(lost ?? noRecipient(session, plan));
  const sender = plan.mail.toString();
  if (isRefusal(mailReply)) return verdict(refusal(wire, 'mail', sender, mailReply, 'Check the sender\'s address, and whether "auth" is needed.'));
  if (!isPositive(mailReply)) return verdict(unexpected(wire, 'mail', sender, mailReply));
  events.push({ type: 'sender-accepted', reply: mailReply });

  let firstRefusal: SmtpError | undefined;
  const rejected = new Map(plan.impossible.map(({ recipient, reply }) => [recipient, reply]));
  for (const [recipient, reply] of rejected) events.push({ type: 'recipient-refused', recipient, reply });
  for (const [index, reply] of recipientReplies.entries()) {
    const { given, command } = plan.recipients[index] ?? { given: '', command: plan.mail };
    if (!isPositive(reply) && !isRefusal(reply)) return verdict(unexpected(wire, 'rcpt', command.toString(), reply));
    if (isPositive(reply)) accepted.push(given);
    else {
      refused.push({ recipient: given, reply });
      const error = refusal(wire, 'rcpt', command.toString(), reply, 'Check the recipient\'s address.', given);
      if (isFarewell(reply)) return verdict(error);
      firstRefusal ??= error;
    }
    events.push({ type: isPositive(reply) ? 'recipient-accepted' : 'recipient-refused', recipient: given, reply });
  }
  if (accepted.length === 0 && recipientReplies.length === plan.recipients.length) return verdict(firstRefusal ?? noRecipient(session, plan), true);
  if (session.chunks) return verdict(lost);
  if (dataReply === undefined) return verdict(lost ?? noRecipient(session, plan));
  if (goesAhead) return verdict(lost);
  return verdict(isRefusal(dataReply) ? refusal(wire, 'data', DATA.toString(), dataReply, 'The mail was not sent.') : unexpected(wire, 'data', DATA.toString(), dataReply));
};

const noRecipient = ({ wire }: Session, { impossible }: EnvelopePlan): SmtpError | undefined => {
  const [first] = impossible;
  return first === undefined ? undefined : refusal(wire, 'rcpt', `RCPT TO:<${first.recipient}>`, first.reply, 'Use an ASCII address.', first.recipient);
};
