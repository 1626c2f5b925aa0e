import type { Unsubscribable } from 'rxjs';
import { bdat, type Command } from '../protocol/command.js';
import { sentence, SmtpProtocolError, SmtpReplyError, type SmtpError } from '../protocol/error.js';
import { formatReply, isFarewell, isPositive, type Reply } from '../protocol/reply.js';
import { converse } from '../wire/exchange.js';
import type { ReplySink } from '../wire/expectation.js';
import { unexpected } from './expect-reply.js';
import { isGoodbyeToRecipient, judgeEnvelope, type Verdict } from './judge-envelope.js';
import { group } from './send-envelope.js';
import { conclude, tellEnvelope } from './tell.js';
import type { Transaction } from './transaction.js';

/**
 * A whole mail in one write: MAIL, RCPT and BDAT LAST with its content (RFC 3030 section 4.2). Nothing is waited for, so that
 * the next mail can follow at once; the price is that the content has left before the envelope was answered.
 */
export const sendAtOnce = (transaction: Transaction, content: Buffer): Unsubscribable => {
  const { session: { wire }, claim, plan, operation } = transaction;
  const commands = group(claim, plan, bdat(content.length, true));
  const conversation = converse(wire, commands, operation, new AtOnce(transaction, commands, content.length), content);
  if (!wire.failed) claim.written(content.length);
  return conversation;
};

/** The replies to such a mail: a verdict on its envelope, and then the word on its content. */
class AtOnce implements ReplySink {
  readonly #transaction: Transaction;
  readonly #commands: readonly Command[];
  readonly #bytes: number;
  readonly #replies: Reply[] = [];
  #verdict: Verdict | undefined;

  constructor(transaction: Transaction, commands: readonly Command[], bytes: number) {
    this.#transaction = transaction;
    this.#commands = commands;
    this.#bytes = bytes;
  }

  next(reply: Reply): void {
    const due = this.#commands.length - 1;
    if (this.#replies.length < due) {
      this.#replies.push(reply);
      // Behind a goodbye only what comes next, or the end, tells whether the content is in doubt.
      if (this.#replies.length === due && !isFarewell(reply)) this.#judge();
      return;
    }
    const verdict = this.#verdict;
    if (verdict !== undefined && verdict.failure === undefined) conclude(this.#transaction, verdict, reply, this.#bytes);
    else if (isPositive(reply)) this.error(unexpected(this.#transaction.session.wire, 'end-of-data', 'the content behind a failed envelope', reply));
    // The refusal of content that reaches nobody changes nothing, but had to be waited for.
    else this.#transaction.observer.error((verdict ?? this.#judge()).failure);
  }

  error(lost: SmtpError): void {
    this.#transaction.observer.error(answerOf(this.#verdict ?? this.#judge(lost), lost));
  }

  complete(): void { /* The last reply has told it all. */ }

  #judge(lost?: SmtpError): Verdict {
    const { claim, plan, observer } = this.#transaction;
    const verdict = this.#verdict = judgeEnvelope(claim, plan, this.#replies, lost);
    tellEnvelope(this.#transaction, verdict);
    if (verdict.failure === undefined) observer.next({ type: 'progress', bytesSent: this.#bytes, bytesTotal: this.#bytes });
    return verdict;
  }
}

/**
 * A refused envelope is the answer, whatever became of the connection. Otherwise the content is in doubt: behind a goodbye to one of
 * several recipients or a refused RSET, where the server has taken a recipient or still may, and where the replies cannot be trusted
 * to be those to their commands. The server's last words tell why, also where they do not decide.
 */
const answerOf = ({ failure, mayBeTaken }: Verdict, lost: SmtpError): SmtpError => {
  if (!(failure instanceof SmtpReplyError)) return lost;
  const isInDoubt = lost instanceof SmtpProtocolError || (mayBeTaken && (failure.phase === 'reset' || isGoodbyeToRecipient(failure)));
  return isInDoubt ? Object.assign(lost, { message: `${lost.message} Before that, it had answered ${failure.command} with ${sentence(formatReply(failure.reply))}` }) : failure;
};
