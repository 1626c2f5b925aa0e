import type { Command } from '../protocol/command.js';
import type { Phase } from '../protocol/error.js';
import { queueId } from '../protocol/queue-id.js';
import { isPositive, type Reply } from '../protocol/reply.js';

/**
 * What a server says on one connection to RSET, MAIL and RCPT, and what to content. Replies are matched by their order alone, so
 * that one that is missing shifts all that follow: then the 250 to the next mail's RSET would stand for content that was refused.
 * A server that has had words of its own for content does not say one of the others to it.
 */
export class Wording {
  #toReset: Reply | undefined;
  #toMail: Reply | undefined;
  #toRcpt: Reply | undefined;
  #toContent: Reply | undefined;
  /** What was said to content as the last reply that was due, and to nothing else. The one above may have had another one's place from the start. */
  #own: Reply | undefined;

  /** Takes note of a reply. `isLast`: no other is due, and none is there, so that all had their places. */
  note(phase: Phase, reply: Reply, isLast: boolean): void {
    if (!isPositive(reply)) return;
    if (phase === 'end-of-data') {
      this.#toContent ??= reply;
      if (isLast && !this.#saysToEnvelope(reply)) this.#own ??= reply;
      return;
    }
    if (isSame(this.#own, reply)) this.#own = undefined;
    switch (phase) {
      case 'reset': this.#toReset ??= reply; break;
      case 'mail': this.#toMail ??= reply; break;
      case 'rcpt': this.#toRcpt ??= reply;
    }
  }

  /** It is one to content by its place, and by its words to something else. */
  isMisplaced(phase: Phase, reply: Reply): boolean {
    const own = this.#toContent;
    if (phase !== 'end-of-data' || own === undefined || !isPositive(reply) || isSame(own, reply)) return false;
    return (this.#saysToEnvelope(reply) || isAboutAddress(reply)) && !this.#saysToEnvelope(own) && !isAboutAddress(own);
  }

  /**
   * A reply in the place of one to content is one by its words, too: content was surely answered so before and nothing else was, RSET
   * included, which is what comes next; or it names a mail in the queue.
   */
  isOnlyOfContent(reply: Reply, command: Command): boolean {
    return (this.#toReset !== undefined && isSame(this.#own, reply)) || this.isOfContent(reply, command);
  }

  /** A reply to something else names a mail in the queue, as one to content does. Some servers name the session in all that they say, and some repeat an address. */
  isOfContent(reply: Reply, command: Command): boolean {
    if (!isPositive(reply) || this.#saysToEnvelope(reply)) return false;
    const id = queueId(reply);
    return id !== undefined && !command.toString().toLowerCase().includes(id.toLowerCase()) && (this.#toMail === undefined || queueId(this.#toMail) === undefined);
  }

  /** It has said the same to an envelope: by its words, this may be said to anything. */
  #saysToEnvelope(reply: Reply): boolean {
    return isSame(this.#toReset, reply) || isSame(this.#toMail, reply) || isSame(this.#toRcpt, reply);
  }
}

/** RFC 3463 section 3.2: x.1.z. */
const isAboutAddress = ({ enhanced }: Reply): boolean => enhanced?.[1] === 1;

// The first line tells most apart, and each mail has some to compare.
const isSame = (one: Reply | undefined, other: Reply): boolean =>
  one === other || (one?.lines[0] === other.lines[0] && one?.code === other.code && one.lines.length === other.lines.length && one.lines.every((line, index) => line === other.lines[index]));
