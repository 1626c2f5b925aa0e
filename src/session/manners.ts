import { KnownReplies } from '../protocol/known-replies.js';
import { Bearing } from './bearing.js';

// So many sessions keep to a limit that was found out, and then one tries whether it is one.
const SESSIONS_TO_A_TRIAL = 20;

/**
 * How a server was found to speak, for all connections to it, and how much it takes. What it does not take it does not get again,
 * but for a limit of mails, which may have been chance.
 */
export class Manners {
  /** What it says again and again. */
  readonly replies = new KnownReplies();
  readonly bearing = new Bearing();
  /** So many recipients it takes in one transaction: what every server has to (RFC 5321 section 4.5.3.1.8), or as many as it has taken. */
  recipients = 100;
  #turnedAway = 0;
  #sessions = 0;
  /** So many mails a connection takes, as far as was found out. */
  mailsPerSession = Infinity;
  /** So many mails in a row make a session full. */
  #patience = 1;

  /** It took a mail to so many. */
  took(recipients: number): void {
    this.recipients = Math.max(this.recipients, recipients);
  }

  /** It hung up on one more than so many. */
  tookOnly(recipients: number): void {
    this.recipients = Math.min(this.recipients, recipients);
  }

  /** Another session begins. Tells how many mails it tries beyond the limit that was found out: that may have been chance, and one that is passed is none. */
  beginSession(): 0 | 1 {
    this.#sessions += 1;
    return this.#sessions % SESSIONS_TO_A_TRIAL === 0 ? 1 : 0;
  }

  /** A mail was accepted, the one with that number on its connection. */
  succeeded(number: number): void {
    if (number > this.mailsPerSession) this.#passedTheLimit();
    // Chance, or another session would have ended there as well.
    if (number >= this.#turnedAway) this.#turnedAway = 0;
  }

  /** Where it hangs up on what is sent ahead, those that were turned away were so for that and not for their number. */
  #passedTheLimit(): void {
    this.mailsPerSession = Infinity;
    if (this.bearing.hangsUpAhead) this.bearing.refusedAhead();
  }

  /** A connection that had taken mails did not take the one with this number: twice the same number is a limit that was not told. */
  turnedAway(number: number): void {
    if (number === this.#turnedAway) this.mailsPerSession = number - 1;
    this.#turnedAway = number;
  }

  /**
   * A session that took mails, and then has too many recipients for so many in a row, is full. Some servers say so of a mailbox or their
   * disk as well: where moving was in vain, it takes more of them to be believed.
   */
  isFullAfter(mails: number): boolean {
    return mails >= this.#patience;
  }

  /** A mail that was crowded out was taken on another connection. */
  movedWell(): void {
    this.#patience = 1;
  }

  /** A mail that was crowded out was refused in the same words on another connection. */
  movedInVain(): void {
    this.#patience *= 2;
  }
}
