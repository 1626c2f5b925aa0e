import type { Mail } from '../message/mail.js';
import type { AcceptedEvent } from '../protocol/event.js';
import { isPositive, isRefusal, queueId, type Reply } from '../protocol/reply.js';
import { refusal, unexpected } from './expect-reply.js';
import type { Verdict } from './judge-envelope.js';
import type { Claim, Session } from './session.js';

/** When the parts of a send were reached, on the scheduler's clock. */
export interface Marks {
  startedAt: number;
  readyAt: number;
  goAheadAt: number;
  contentAt: number;
}

/** The server's last word on a mail: the receipt, or the refusal thrown (RFC 5321 section 4.2.5). */
export const accept = ({ wire }: Session, claim: Claim, mail: Mail, { accepted, refused }: Verdict, reply: Reply, bytes: number, marks: Marks): AcceptedEvent => {
  if (isRefusal(reply)) throw refusal(wire, 'end-of-data', 'the content', reply, 'The mail was not accepted.');
  if (!isPositive(reply)) throw unexpected(wire, 'end-of-data', 'the end of data', reply);
  claim.succeeded();
  const id = queueId(reply);
  const now = wire.heardAt;
  const { startedAt, readyAt, goAheadAt, contentAt } = marks;
  return {
    type: 'accepted',
    receipt: {
      messageId: mail.messageId, envelope: mail.envelope.envelope, reply, bytes, accepted, refused,
      ...(id === undefined ? {} : { queueId: id }),
      timings: { connect: readyAt - startedAt, envelope: goAheadAt - readyAt, content: contentAt - goAheadAt, acceptance: now - contentAt, total: now - startedAt },
    },
  };
};
