import { isSilence, SmtpProtocolError, SmtpReplyError, type Phase } from '../protocol/error.js';

/** What goes out behind another command, where the server pipelines. */
const BEHIND_OTHERS: ReadonlySet<Phase> = new Set<Phase>(['rcpt', 'data', 'body', 'end-of-data']);

/** What may go out before the one in front was answered: the next mail, only the commands of one mail, or nothing. */
type Ahead = 'mails' | 'commands' | 'nothing';

/**
 * How far a server was found to bear pipelining: announced is one thing, borne another. What it was found not to bear it does
 * not get again.
 */
export class Bearing {
  #ahead: Ahead = 'mails';
  /** A mail that was sent ahead was answered in its turn: until then a server may be one that throws away what waits in its input. */
  isProven = false;
  /** So often it hung up on what was sent ahead, in sessions one after the other. */
  hangUps = 0;
  #boreCommands = false;
  /** Before it was found to turn commands away: a mail that it turns away alone as well takes that back. */
  #aheadBefore: Ahead | undefined;

  /** The next mail may be begun before the one before was answered. */
  get bearsMails(): boolean {
    return this.#ahead === 'mails';
  }

  /** The commands of one mail may go out together. */
  get bearsCommands(): boolean {
    return this.#ahead !== 'nothing';
  }

  /** A mail was accepted. Its commands went out together, or one by one; it was sent ahead, or not. */
  succeeded(inGroup: boolean, isAhead: boolean): void {
    this.#boreCommands ||= inGroup;
    this.isProven ||= isAhead;
  }

  /**
   * A mail that was sent ahead failed. Where that was for want of an answer in its turn, mails go one by one from now on. Silence of
   * a server that has proven itself is no such failure: it says something about the line.
   */
  failedAhead(error: unknown): void {
    if (error instanceof SmtpProtocolError || (isSilence(error) && !this.isProven)) this.refusedAhead();
  }

  /** The server hung up with others on their way, and had refused nothing before. `known` is how often it had when that session began: all sessions of a moment may end by the same chance. */
  hungUpAhead(known: number): void {
    if (known === this.hangUps) this.hangUps += 1;
  }

  /** Once may be chance. Twice is none, unless it has proven itself. */
  get hangsUpAhead(): boolean {
    return this.hangUps > 1 && !this.isProven;
  }

  /** The server turned a mail away, or lost count, because it was sent ahead. Others of the same burst are no further news. */
  refusedAhead(): void {
    if (this.#ahead === 'mails') this.#ahead = 'commands';
  }

  /**
   * A mail failed that was behind no other one, and whose commands went out together. Some turn away what came with another command, or
   * throw it away. And where mails had to go one by one before, commands may have to as well.
   */
  failedInGroup(error: unknown): void {
    const isIgnored = isSilence(error) && (error.phase === 'rcpt' || error.phase === 'data') && !this.#boreCommands;
    const isStrict = this.#ahead === 'commands' && (error instanceof SmtpProtocolError || isTurnedAway(error));
    if (!isStrict && !isIgnored && !(isTurnedAway(error) && BEHIND_OTHERS.has(error.phase))) return;
    if (isTurnedAway(error) && this.#ahead !== 'nothing') this.#aheadBefore = this.#ahead;
    this.#ahead = 'nothing';
  }

  /** A mail failed whose commands went one by one. Where it was turned away even so, those before were not turned away for going together. */
  failedOneByOne(error: unknown): void {
    if (!isTurnedAway(error)) return;
    this.#ahead = this.#aheadBefore ?? this.#ahead;
    this.#aheadBefore = undefined;
  }
}

const isTurnedAway = (error: unknown): error is SmtpReplyError => error instanceof SmtpReplyError && error.reply.code === 503;
