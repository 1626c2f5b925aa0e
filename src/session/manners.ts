import { SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type Phase } from '../protocol/error.js';
import { KnownReplies } from '../protocol/known-replies.js';

type Bearing = 'mails' | 'groups' | 'commands';

/** What goes out behind another command, where the server pipelines. */
const BEHIND_OTHERS: ReadonlySet<Phase> = new Set<Phase>(['rcpt', 'data', 'body', 'end-of-data']);

// So many sessions keep to a limit that was found out, and then one tries whether it is one.
const SESSIONS_TO_A_TRIAL = 20;

/**
 * How a server was found to speak, for all connections to it, and how far it bears pipelining: announced is one thing, borne
 * another. What it was found not to bear it does not get again, but for a limit of mails, which may have been chance.
 */
export class Manners {
  /** What it says again and again. */
  readonly replies = new KnownReplies();
  #isProven = false;
  #bearsGroups = false;
  /** Before it was found to turn commands away: a mail that it turns away alone as well takes that back. */
  #boreBefore: Bearing | undefined;
  #bears: Bearing = 'mails';
  // RFC 5321 section 4.5.3.1.8.
  #recipients = 100;
  #turnedAway = 0;
  #sessions = 0;
  #mailsPerSession = Infinity;
  /** So many mails in a row make a session full. */
  #patience = 1;

  /** A mail that was sent ahead was answered in its turn: until then a server may be one that throws away what waits in its input. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** The next mail may be begun before the one before was answered. */
  get overlap(): boolean {
    return this.#bears === 'mails';
  }

  /** The commands of one mail may go out together. */
  get groups(): boolean {
    return this.#bears !== 'commands';
  }

  /** A mail was accepted, the one with that number on its connection. Its commands went out together, or one by one; it was sent ahead, or not. */
  succeeded(number: number, inGroup: boolean, isAhead: boolean): void {
    if (inGroup) this.#bearsGroups = true;
    this.#isProven ||= isAhead;
    if (number > this.#mailsPerSession) this.#mailsPerSession = Infinity;
    // Chance, or another session would have ended there as well.
    if (number >= this.#turnedAway) this.#turnedAway = 0;
  }

  /**
   * A mail that was sent ahead failed. Where that was for want of an answer in its turn, mails go one by one from now on. Silence of
   * a server that has proven itself is no such failure: it says something about the line.
   */
  failedAhead(error: unknown): void {
    const isSilence = error instanceof SmtpTimeoutError && error.limit === 'command';
    if (error instanceof SmtpProtocolError || (isSilence && !this.#isProven)) this.disappoint();
  }

  /** The server turned something away, or lost count, that was sent ahead. Others of the same burst are no further news. */
  disappoint(): void {
    if (this.#bears === 'mails') this.#bears = 'groups';
  }

  /**
   * A mail failed that nothing was ahead of. Some turn away what came with another command, or throw it away. And where mails had to
   * go one by one before, commands may have to as well. A mail that is turned away in the same way when its commands go one by one
   * was not turned away for that.
   */
  failedAlone(error: unknown, inGroup: boolean): void {
    const isTurnedAway = error instanceof SmtpReplyError && error.reply.code === 503;
    if (!inGroup) {
      if (!isTurnedAway) return;
      this.#bears = this.#boreBefore ?? this.#bears;
      this.#boreBefore = undefined;
      return;
    }
    const isIgnored = error instanceof SmtpTimeoutError && error.limit === 'command' && (error.phase === 'rcpt' || error.phase === 'data') && !this.#bearsGroups;
    const isStrict = this.#bears === 'groups' && (error instanceof SmtpProtocolError || isTurnedAway);
    if (!isStrict && !isIgnored && !(isTurnedAway && BEHIND_OTHERS.has(error.phase))) return;
    if (isTurnedAway && this.#bears !== 'commands') this.#boreBefore = this.#bears;
    this.#bears = 'commands';
  }

  /** So many recipients it takes in one transaction: what every server has to, or as many as it has taken. */
  get recipients(): number {
    return this.#recipients;
  }

  /** It took a mail to so many. */
  took(recipients: number): void {
    if (recipients > this.#recipients) this.#recipients = recipients;
  }

  /** It hung up on one more than so many. */
  tookOnly(recipients: number): void {
    this.#recipients = Math.min(this.#recipients, recipients);
  }

  /** So many mails a connection takes, as far as was found out. */
  get mailsPerSession(): number {
    return this.#mailsPerSession;
  }

  /** Another session begins. Tells how many mails it tries beyond the limit that was found out: that may have been chance, and one that is passed is none. */
  beginSession(): 0 | 1 {
    this.#sessions += 1;
    return this.#sessions % SESSIONS_TO_A_TRIAL === 0 ? 1 : 0;
  }

  /** A connection that had taken mails did not take the one with this number: twice the same number is a limit that was not told. */
  turnedAway(number: number): void {
    if (number === this.#turnedAway) this.#mailsPerSession = number - 1;
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
