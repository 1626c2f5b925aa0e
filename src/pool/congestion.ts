import { SmtpError } from '../protocol/error.js';
import { isFarewell, isOfAnAddress, isOfTheConnection, isOfTheNumber, type Reply } from '../protocol/reply.js';

// "Not now", "too many": what a server says that wants to be asked less. 432 is what Exchange says to too many connections.
const THROTTLES: ReadonlySet<number> = new Set([421, 432, 450, 451, 452, 454]);

/** A full mailbox, a sender's domain that is not found or one recipient too many would be refused as well if fewer mails were on the way. A goodbye ends all of them, whatever its status. */
const asksForLess = (reply: Reply): boolean =>
  THROTTLES.has(reply.code) && !isOfTheConnection(reply) && (isFarewell(reply) || !(isOfAnAddress(reply) || isOfTheNumber(reply)));

// To have one more on the way may cost a mail, and is not tried again before so many were accepted.
const PATIENCE = 8;

/**
 * How many mails may be on the way: all that the connections hold, until the server asks for less. Then half as many, and
 * with every mail that is accepted a little more again, as TCP does it (RFC 5681), up to where it all began.
 */
export class Congestion {
  #limit = Infinity;
  /** So many were on the way when the server first asked for less. */
  #before = 0;
  /** The mails that were begun before that are no news. */
  #begunBefore = 0;
  #begun = 0;

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** A mail begins; its number is its own. */
  begin(): number {
    return this.#begun += 1;
  }

  accepted(): void {
    if (this.#limit === Infinity) return;
    this.#limit += 1 / Math.max(this.#limit, PATIENCE);
    if (this.#limit > this.#before) this.#limit = Infinity;
  }

  /**
   * True where the server asks for less, and that is news.
   * @param inFlight with this one.
   */
  failed(error: unknown, number: number, inFlight: number): boolean {
    if (!(error instanceof SmtpError) || error.reply === undefined || !asksForLess(error.reply) || number <= this.#begunBefore) return false;
    if (this.#limit === Infinity) this.#before = Math.max(2, inFlight);
    this.#begunBefore = this.#begun;
    this.#limit = Math.max(1, inFlight / 2);
    return true;
  }
}
