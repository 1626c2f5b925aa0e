import type { ReadyEvent } from '../protocol/event.js';
import type { Wire } from '../wire/wire.js';
import { Claim } from './claim.js';
import type { Manners } from './manners.js';
import { offersOf, type Offers } from './offers.js';
import { Quota } from './quota.js';
import type { SessionSettings } from './settings.js';
import { readyEvent, type State } from './state.js';

/** What is in flight when a link dies is in doubt: so many mails, and so many bytes of them, may be. */
const MAILS_IN_FLIGHT = 32;
const BYTES_IN_FLIGHT = 1024 * 1024;
// Behind so many recipients a mail gains nothing by being on its way already, and would only hold memory.
const REPLIES_IN_FLIGHT = 2_000;
// What a server that has proven nothing yet gets at a time: it leaves in one write, so that it is borne or thrown away together.
const UNPROVEN_IN_FLIGHT = 8;
const UNPROVEN_BYTES = 32 * 1024;
// After so long without a word (ms), a connection may be gone without a trace.
const FRESH = 1_000;

/** A connection on which mails can be sent: one writes at a time, several may wait for their replies. */
export class Session {
  readonly wire: Wire;
  readonly settings: SessionSettings;
  readonly manners: Manners;
  /** What a mail begins with on a connection that was open already. */
  readonly ready: ReadyEvent;
  readonly offers: Offers;
  /** Undefined where the server tells no limits. */
  readonly quota: Quota | undefined;
  /** Mails that were begun here. */
  begun = 0;
  /** Mails that the server took. */
  taken = 0;
  /** It takes no further mail: the server said so, or does not answer. */
  isClosing = false;
  /** Is told when another mail may start, or none any more. */
  changed: () => void = () => undefined;
  readonly #offersPipelining: boolean;
  /** Mails beyond the limit that was found out. */
  readonly #trial: 0 | 1;
  readonly #hangUpsBefore: number;
  /** The numbers of the last mail that was accepted, and of the last that was not. */
  #lastGood = 0;
  #lastBad = -1;
  /** Mails since the last of those that it had too many recipients for. */
  #tooMany = 0;
  #isWriting = false;
  #mailsInFlight = 0;
  /** Those that were begun before the one in front was answered. */
  #overlapping = 0;
  #bytesInFlight = 0;

  constructor({ wire, capabilities, settings }: State, manners: Manners) {
    this.wire = wire;
    this.settings = settings;
    this.manners = manners;
    this.ready = readyEvent({ capabilities, wire }, true);
    this.offers = offersOf(capabilities);
    this.#trial = manners.beginSession();
    this.#hangUpsBefore = manners.bearing.hangUps;
    this.#offersPipelining = settings.pipelining.enabled && capabilities.has('PIPELINING');
    this.quota = capabilities.has('LIMITS') ? new Quota(capabilities.limits) : undefined;
    // With a name: a literal that is assigned outlives the session, with all that it holds (docs/decisions/17-what-v8-keeps.md).
    const lost = (): void => { this.changed(); };
    wire.onLoss = lost;
  }

  /** The server takes no further mail in this session. */
  get isSpent(): boolean {
    return this.isClosing || this.begun >= this.manners.mailsPerSession + this.#trial || this.quota?.isUsedUp === true;
  }

  /** A mail may start here now, behind those that are under way. */
  get hasRoom(): boolean {
    if (this.#mailsInFlight === 0) return this.pipelines ? this.wire.free : this.wire.idle;
    // What is tried beyond a limit goes alone, so that a hang-up leaves nothing in doubt.
    return this.begun < this.manners.mailsPerSession && !this.#isWriting && this.#mailsInFlight < this.depth && this.#bytesInFlight < BYTES_IN_FLIGHT && this.wire.outstanding < REPLIES_IN_FLIGHT
      && this.#isTrusted && this.wire.takesCommands;
  }

  /**
   * Replies are matched by their order alone. A server that throws away what waits behind a mail would answer the next one that
   * comes in the place of those that are gone: before it has shown that it does not, nothing is sent behind what was sent ahead.
   */
  get #isTrusted(): boolean {
    return this.manners.bearing.isProven || !this.offers.chunking || this.#overlapping === 0
      || (this.#mailsInFlight < UNPROVEN_IN_FLIGHT && this.#bytesInFlight < UNPROVEN_BYTES && this.wire.stream.isGathering);
  }

  /** The commands of a mail may go out together. */
  get pipelines(): boolean {
    return this.#offersPipelining && this.manners.bearing.bearsCommands;
  }

  /** Chunks go out with nothing to wait for in between. */
  get chunks(): boolean {
    return this.offers.chunking && this.pipelines;
  }

  /** It was in use a moment ago, and takes as many mails as were begun, so that content may go out with its envelope. */
  get isFresh(): boolean {
    return this.begun <= this.manners.mailsPerSession && (this.#mailsInFlight > 1 || !this.#isSilent);
  }

  /** The server may be gone without a trace: it has said nothing for a while, and nothing is on the way that would tell. */
  get mayBeGone(): boolean {
    return this.wire.idle && this.#isSilent;
  }

  get #isSilent(): boolean {
    return this.wire.context.scheduler.now() - this.wire.heardAt >= FRESH;
  }

  /** So many mails may be under way here: behind DATA a server must be waited for (RFC 2920 section 3.1), so that one more is all there can be. */
  get depth(): number {
    if (!this.pipelines || !this.manners.bearing.bearsMails) return 1;
    const depth = this.settings.pipelining.depth ?? MAILS_IN_FLIGHT;
    return this.offers.chunking ? depth : Math.min(depth, 2);
  }

  /** A mail starts to write. */
  begin(mayMove = true, wasCrowdedOut = false): Claim {
    this.begun += 1;
    this.#isWriting = true;
    this.#mailsInFlight += 1;
    const overlaps = this.#mailsInFlight > 1;
    if (overlaps) this.#overlapping += 1;
    return new Claim(this, this.begun, { isBehindFailure: this.#lastBad === this.begun - 1, needsReset: this.#lastGood !== this.begun - 1, overlaps, mayMove, wasCrowdedOut });
  }

  /** All of a mail has left: the next one may write. */
  written(bytes: number): void {
    this.#bytesInFlight += bytes;
    this.#isWriting = false;
    this.changed();
  }

  /**
   * The server takes no further mail, from that one on. Where it took none before, it is something else that it has too much of.
   * @param hasHungUp it did not say so.
   */
  turnedAway({ number }: Claim, hasHungUp: boolean): void {
    if (!this.isClosing) {
      const { bearing } = this.manners;
      // Behind a mail that it refused it may hang up for that.
      const wasAhead = hasHungUp && this.#overlapping > 0 && this.#lastGood === number - 1;
      if (wasAhead) bearing.hungUpAhead(this.#hangUpsBefore);
      if (this.taken > 0) this.manners.turnedAway(number);
      else if (wasAhead && bearing.hangsUpAhead) bearing.refusedAhead();
    }
    this.isClosing = true;
  }

  /** The server took that mail. */
  succeeded(number: number): void {
    this.#lastGood = number;
    this.taken += 1;
    this.#tooMany = 0;
  }

  /** The server had too many recipients before it took one of a mail. Tells of how many mails in a row. */
  hadTooMany(): number {
    return this.#tooMany += 1;
  }

  /** The server did not take that mail, as far as is known. */
  failed(number: number): void {
    this.#lastBad = Math.max(this.#lastBad, number);
  }

  /** A mail ended, of which so many bytes had left if all of it had. */
  ended(bytes: number | undefined, overlaps: boolean): void {
    this.#mailsInFlight -= 1;
    if (overlaps) this.#overlapping -= 1;
    if (bytes === undefined) this.#isWriting = false;
    else this.#bytesInFlight -= bytes;
  }
}
