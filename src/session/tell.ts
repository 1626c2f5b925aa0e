import type { Receipt } from '../protocol/event.js';
import { queueId } from '../protocol/queue-id.js';
import { isPositive, isRefusal, type Reply } from '../protocol/reply.js';
import { remedyFor } from '../protocol/remedy.js';
import { refusal, unexpected } from './expect-reply.js';
import type { Verdict } from './judge-envelope.js';
import type { Transaction } from './transaction.js';

/** What the envelope amounts to. */
export const tellEnvelope = ({ session: { wire }, marks, observer }: Transaction, { events }: Verdict): void => {
  events.forEach((event) => { observer.next(event); });
  marks.goAheadAt = marks.contentAt = wire.heardAt;
};

/** The server's last word on a mail: the receipt, or the refusal (RFC 5321 section 4.2.5). */
export const conclude = (transaction: Transaction, verdict: Verdict, reply: Reply, bytes: number): void => {
  const { session: { wire, manners }, claim, plan, observer } = transaction;
  if (isPositive(reply)) {
    manners.took(plan.recipients.length);
    claim.succeeded();
    observer.next({ type: 'accepted', receipt: receiptOf(transaction, verdict, reply, bytes) });
    observer.complete();
  } else observer.error(isRefusal(reply) ? refusal(wire, 'end-of-data', 'the content', reply, remedyFor(reply)) : unexpected(wire, 'end-of-data', 'the end of data', reply));
};

const receiptOf = ({ session: { wire }, mail, marks }: Transaction, { accepted, refused }: Verdict, reply: Reply, bytes: number): Receipt => {
  const { startedAt, readyAt, goAheadAt, contentAt } = marks;
  const now = wire.heardAt;
  const receipt: Receipt & { queueId?: string } = {
    messageId: mail.messageId, envelope: mail.envelope.envelope, reply, bytes, accepted, refused,
    timings: { connect: readyAt - startedAt, envelope: goAheadAt - readyAt, content: contentAt - goAheadAt, acceptance: now - contentAt, total: now - startedAt },
  };
  const id = queueId(reply);
  if (id !== undefined) receipt.queueId = id;
  return receipt;
};
