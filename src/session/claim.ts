import type { RefusedRecipient } from '../protocol/event.js';
import type { Session } from './session.js';

const NOBODY: readonly RefusedRecipient[] = [];

/** One mail's claim on its session. */
export class Claim {
  readonly session: Session;
  /** Which one it is there, from 1. */
  readonly number: number;
  /** No mail went before it here. */
  readonly isFirst: boolean;
  /** The mail before it has failed, and may have left its recipients or a piece of its content behind. */
  readonly isBehindFailure: boolean;
  /** The mail before it has not ended well yet: RSET goes in front, because some servers keep its transaction open. */
  readonly needsReset: boolean;
  /** Others are still waiting for their replies. */
  readonly overlaps: boolean;
  /** Its commands go out together. */
  readonly inGroup: boolean;
  /** It may be begun again elsewhere, unseen. */
  readonly mayMove: boolean;
  /** It was crowded out of another session before. */
  readonly wasCrowdedOut: boolean;
  /** What the server had taken when this one began. */
  readonly #takenBefore: number;
  /** The server took the mail, and its transaction is over. */
  hasSucceeded = false;
  /** None of its recipients was taken, because the session is full of those before: a place on another connection is all it needs. */
  isCrowdedOut = false;
  /** So were others right in front of it. */
  #isOneOfMany = false;
  /** Those of its recipients that the server refused, once there is a verdict on its envelope. */
  refused: readonly RefusedRecipient[] = NOBODY;
  /** The mail has ended, and must not write any more. */
  isOver = false;
  #bytes: number | undefined;

  constructor(session: Session, number: number, { isBehindFailure, needsReset, overlaps, mayMove, wasCrowdedOut }: Pick<Claim, 'isBehindFailure' | 'needsReset' | 'overlaps' | 'mayMove' | 'wasCrowdedOut'>) {
    this.session = session;
    this.number = number;
    this.#takenBefore = session.taken;
    this.isFirst = number === 1;
    this.isBehindFailure = isBehindFailure;
    this.needsReset = needsReset;
    this.overlaps = overlaps;
    this.inGroup = session.pipelines;
    this.mayMove = mayMove;
    this.wasCrowdedOut = wasCrowdedOut;
  }

  /** A mail that was in front of it was taken meanwhile. One that was withdrawn never was in front. */
  get #isBehindTaken(): boolean {
    return this.session.taken > this.#takenBefore;
  }

  /** Its turn comes nearer, as long as those in front of it get on. One that is crowded out alone may be the reason itself. */
  get getsOn(): boolean {
    return this.#isBehindTaken && (!this.isCrowdedOut || this.#isOneOfMany);
  }

  /** The server has taken mails in this session. */
  get hasServed(): boolean {
    return this.session.taken > 0;
  }

  /** The session began with a sign-in. */
  get isSignedIn(): boolean {
    return this.session.settings.credentials !== undefined;
  }

  /** The end of its content is on the way: the server may have all of it. */
  get hasLeft(): boolean {
    return this.#bytes !== undefined;
  }

  /** All of it has left: the next mail may write. */
  written(bytes: number): void {
    if (this.isOver) return;
    this.#bytes = bytes;
    this.session.written(bytes);
  }

  /** The server took it, and its transaction is over: before anybody is told, who may send the next mail at once. */
  succeeded(): void {
    this.hasSucceeded = true;
    const { manners } = this.session;
    if (this.wasCrowdedOut) manners.movedWell();
    // First: a mail that was sent ahead is the proof itself where it passes a limit.
    manners.bearing.succeeded(this.inGroup, this.#isBehindTaken);
    manners.succeeded(this.number);
    this.session.succeeded(this.number);
    this.session.ended(this.#bytes, this.overlaps);
  }

  /**
   * The server had too many recipients before it took one of this mail. On a new connection that is a verdict. On one that took mails it may
   * mean theirs.
   */
  hadTooMany(isGoodbye: boolean): void {
    const { manners } = this.session;
    const inARow = isGoodbye ? 1 : this.session.hadTooMany();
    this.#isOneOfMany = inARow > 1;
    const isFull = manners.isFullAfter(inARow);
    // Each goodbye costs a connection.
    this.isCrowdedOut = this.mayMove && this.hasServed && (isGoodbye ? isFull && !this.wasCrowdedOut : isFull || this.wasCrowdedOut);
    // Others of the same burst are no further news.
    if (this.wasCrowdedOut && !this.isCrowdedOut && inARow === 1) manners.movedInVain();
  }

  /** Once, however it ended. */
  ended(): void {
    this.isOver = true;
    if (this.hasSucceeded) return;
    this.session.failed(this.number);
    this.session.ended(this.#bytes, this.overlaps);
  }
}
