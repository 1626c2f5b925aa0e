import { DATA, RSET } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { TransactionEvent } from '../protocol/event.js';
import { isFarewell, isPositive, isRefusal, isTooMany, makeReply, type Reply } from '../protocol/reply.js';
import type { EnvelopePlan } from './envelope-plan.js';
import { refusal, unexpected } from './expect-reply.js';
import type { Claim, Session } from './session.js';

interface Refused {
  readonly recipient: string;
  readonly reply: Reply;
}

/** What the replies to an envelope amount to. */
export interface Verdict {
  readonly events: readonly TransactionEvent[];
  readonly accepted: readonly string[];
  readonly refused: readonly Refused[];
  /** The server waits for content (354). */
  readonly goesAhead: boolean;
  /** Every recipient was refused: what is sent now reaches nobody. */
  readonly isForNobody: boolean;
  /** Why the content must not be sent. */
  readonly failure: SmtpError | undefined;
}

/**
 * Judges an envelope when all its replies are in, or the connection is gone: `replies` are those to RSET where it was due,
 * MAIL, RCPT... and DATA where it is needed, as far as they came. The first refusal that stops the mail is its error, before
 * the loss that followed it.
 */
export const judgeEnvelope = (session: Session, { needsReset }: Claim, { commands, recipients, impossible, isPart, chunks }: EnvelopePlan, replies: readonly Reply[], lost: SmtpError | undefined): Verdict => {
  const { wire } = session;
  const mailAt = needsReset ? 1 : 0;
  const mailReply = replies[mailAt];
  const dataReply = replies[mailAt + commands.length];
  const goesAhead = dataReply?.code === 354;
  const events: TransactionEvent[] = [];
  const accepted: string[] = [];
  const refused: Refused[] = [];
  const verdict = (failure: SmtpError | undefined, isForNobody = false): Verdict => ({ events, accepted, refused, goesAhead: goesAhead && !wire.failed, isForNobody, failure });
  const command = (index: number): string => String(commands[index]);
  const refuse = (recipient: string, reply: Reply): void => {
    refused.push({ recipient, reply });
    events.push({ type: 'recipient-refused', recipient, reply });
  };

  const resetReply = needsReset ? replies[0] : undefined;
  if (resetReply !== undefined && !isPositive(resetReply)) {
    wire.mustDrop = true;
    return verdict(isRefusal(resetReply) ? refusal(wire, 'reset', String(RSET), resetReply, 'Try again on another connection.') : unexpected(wire, 'reset', String(RSET), resetReply));
  }
  const unreachable = impossible[0];
  const nobody = unreachable === undefined ? undefined : () => refusal(wire, 'rcpt', `RCPT TO:<${unreachable.given}>`, NEEDS_SMTPUTF8, 'Use an ASCII address.', unreachable.given);
  if (mailReply === undefined) return verdict(lost ?? nobody?.());
  if (isRefusal(mailReply)) return verdict(refusal(wire, 'mail', command(0), mailReply, 'Check the sender\'s address, and whether "auth" is needed.'));
  if (!isPositive(mailReply)) return verdict(unexpected(wire, 'mail', command(0), mailReply));
  events.push({ type: 'sender-accepted', reply: mailReply });

  impossible.forEach(({ given }) => { refuse(given, NEEDS_SMTPUTF8); });
  let firstRefusal: SmtpError | undefined;
  let answered = 0;
  for (;;) {
    const recipient = recipients[answered];
    const reply = replies[mailAt + 1 + answered];
    if (recipient === undefined || reply === undefined) break;
    const { given } = recipient;
    answered += 1;
    if (isPositive(reply)) {
      accepted.push(given);
      events.push({ type: 'recipient-accepted', recipient: given, reply });
      continue;
    }
    if (!isRefusal(reply)) return verdict(unexpected(wire, 'rcpt', command(answered), reply));
    // Nothing is told of those that wait for another transaction. The first one is never among them, so that each gets on.
    if (isPart && accepted.length > 0 && isTooMany(reply)) continue;
    if (firstRefusal === undefined || isFarewell(reply)) {
      const error = refusal(wire, 'rcpt', command(answered), reply, 'Check the recipient\'s address.', given);
      if (isFarewell(reply)) {
        refused.push({ recipient: given, reply });
        return verdict(error);
      }
      firstRefusal = error;
    }
    refuse(given, reply);
  }
  if (accepted.length === 0 && answered === recipients.length) return verdict(firstRefusal ?? nobody?.(), true);
  if (chunks) return verdict(lost);
  if (dataReply === undefined) return verdict(lost ?? nobody?.());
  if (goesAhead) return verdict(lost);
  return verdict(isRefusal(dataReply) ? refusal(wire, 'data', String(DATA), dataReply, 'The mail was not sent.') : unexpected(wire, 'data', String(DATA), dataReply));
};

// RFC 6531 section 3.5: what the server would have to say to such an address. It is never asked.
const NEEDS_SMTPUTF8: Reply = makeReply(553, ['5.6.7 This address needs SMTPUTF8, which the server does not offer']);
