import { SmtpError, SmtpProtocolError, SmtpReplyError, SmtpTimeoutError } from '../protocol/error.js';
import { KnownReplies } from '../protocol/known-replies.js';

/**
 * How a server was found to speak, for all connections to it, and how far it bears pipelining: announced is one thing, borne
 * another. What it was found not to bear it never gets again.
 */
export class Manners {
  /** What it says again and again. */
  readonly replies = new KnownReplies();
  #isProven = false;
  #bearsGroups = false;
  #bears: 'mails' | 'groups' | 'commands' = 'mails';
  // RFC 5321 section 4.5.3.1.8.
  #recipients = 100;
  #turnedAway = 0;
  #mailsPerSession = Infinity;

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

  /** A mail was accepted whose commands went out together, or that was sent ahead. */
  succeeded(isAhead: boolean): void {
    this.#bearsGroups = true;
    this.#isProven ||= isAhead;
  }

  /**
   * A mail that was sent ahead failed. Where that was for want of an answer in its turn, mails go one by one from now on. Silence of
   * a server that has proven itself is no such failure: it says something about the line.
   */
  failedAhead(error: unknown): void {
    const isSilence = error instanceof SmtpTimeoutError && error.limit === 'command';
    if (this.#bears === 'mails' && (error instanceof SmtpProtocolError || (isSilence && !this.#isProven))) this.#bears = 'groups';
  }

  /** The server turned something away, or lost count, that was sent ahead. Others of the same burst are no further news. */
  disappoint(): void {
    if (this.#bears === 'mails') this.#bears = 'groups';
  }

  /**
   * A mail failed that nothing was ahead of. Some turn away what came with another command, or throw it away. And where mails had to
   * go one by one before, commands may have to as well.
   */
  failedAlone(error: unknown): void {
    const isTurnedAway = error instanceof SmtpReplyError && error.reply.code === 503;
    const isLost = error instanceof SmtpTimeoutError && error.limit === 'command' && !this.#bearsGroups;
    const isBehindOthers = error instanceof SmtpError && (error.phase === 'rcpt' || error.phase === 'data');
    const isStrict = this.#bears === 'groups' && (error instanceof SmtpProtocolError || isTurnedAway);
    if (isStrict || (isBehindOthers && (isTurnedAway || isLost))) this.#bears = 'commands';
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
    this.#recipients = recipients;
  }

  /** So many mails a connection takes, as far as was found out. */
  get mailsPerSession(): number {
    return this.#mailsPerSession;
  }

  /** A connection that had taken mails did not take the one with this number: twice the same number is a limit that was not told. */
  turnedAway(number: number): void {
    if (number === this.#turnedAway) this.#mailsPerSession = number - 1;
    this.#turnedAway = number;
  }
}
