import type { Capabilities } from '../protocol/capabilities.js';
import type { ReadyEvent } from '../protocol/event.js';
import type { Wire } from '../wire/wire.js';
import type { Manners } from './manners.js';
import type { SessionSettings } from './settings.js';
import type { State } from './state.js';

/** What is in flight when a link dies is in doubt: so many mails, and so many bytes of them, may be. */
export const MAILS_IN_FLIGHT = 16;
const BYTES_IN_FLIGHT = 1024 * 1024;
// After so long without a word (ms), a connection may be gone without a trace.
const FRESH = 1_000;

/** A connection on which mails can be sent: one writes at a time, several may wait for their replies. */
export class Session {
  readonly wire: Wire;
  readonly capabilities: Capabilities;
  readonly settings: SessionSettings;
  readonly manners: Manners;
  /** Mails that were begun here. */
  mails = 0;
  /** Is told when another mail may start, or none any more. */
  changed: () => void = () => undefined;
  /** The number of the last mail that was accepted. */
  #lastGood = 0;
  #isWriting = false;
  #mailsInFlight = 0;
  #bytesInFlight = 0;
  #answeredAt: number;

  constructor({ wire, capabilities, settings }: State, manners: Manners) {
    this.wire = wire;
    this.capabilities = capabilities;
    this.settings = settings;
    this.manners = manners;
    this.#answeredAt = wire.context.scheduler.now();
    wire.onLoss = () => { this.changed(); };
  }

  /** Nothing is under way, and the next mail may start here. */
  get isUsable(): boolean {
    return this.pipelines ? this.wire.free : this.wire.idle;
  }

  /** A mail may start here now, behind those that are under way. */
  get hasRoom(): boolean {
    if (this.#mailsInFlight === 0) return this.isUsable;
    return !this.#isWriting && !this.wire.mustDrop && !this.wire.failed && this.#mailsInFlight < this.#depth && this.#bytesInFlight < BYTES_IN_FLIGHT;
  }

  get mailsInFlight(): number {
    return this.#mailsInFlight;
  }

  /** The commands of a mail may go out together. */
  get pipelines(): boolean {
    return this.settings.pipelining.enabled && this.manners.groups && this.capabilities.has('PIPELINING');
  }

  /** Content goes out in counted chunks, with nothing to wait for in between (RFC 3030). */
  get chunks(): boolean {
    return this.pipelines && this.capabilities.has('CHUNKING');
  }

  /** It was in use a moment ago, so that content may go out with its envelope. */
  get isFresh(): boolean {
    return this.#mailsInFlight > 1 || this.wire.context.scheduler.now() - this.#answeredAt < FRESH;
  }

  // Behind DATA a server must be waited for (RFC 2920 section 3.1), so that one more mail is all there can be.
  get #depth(): number {
    if (!this.pipelines || !this.manners.overlap) return 1;
    const depth = this.settings.pipelining.depth ?? MAILS_IN_FLIGHT;
    return this.chunks ? depth : Math.min(depth, 2);
  }

  /** A mail starts to write. */
  begin(): Claim {
    const needsReset = this.mails !== this.#lastGood;
    const number = this.mails += 1;
    const isFirst = number === 1;
    let bytes: number | undefined;
    this.#isWriting = true;
    this.#mailsInFlight += 1;
    return {
      needsReset, isFirst,
      overlaps: this.#mailsInFlight > 1,
      written: (size) => {
        bytes = size;
        this.#bytesInFlight += size;
        this.#isWriting = false;
        this.changed();
      },
      succeeded: () => { this.#lastGood = number; },
      ended: () => {
        this.#mailsInFlight -= 1;
        if (bytes === undefined) this.#isWriting = false;
        else this.#bytesInFlight -= bytes;
        this.#answeredAt = this.wire.context.scheduler.now();
      },
    };
  }

  /** What a mail begins with on a connection that was open already. */
  get ready(): ReadyEvent {
    const { capabilities } = this;
    return { type: 'ready', capabilities, supportedAuthentication: capabilities.authentication, secure: this.wire.stream.tls !== undefined, reused: true };
  }
}

/** One mail's claim on its session. */
export interface Claim {
  /** No mail went before it here. */
  readonly isFirst: boolean;
  /** The mail before it has not ended well yet: RSET goes in front, because some servers keep its transaction open. */
  readonly needsReset: boolean;
  /** Others are still waiting for their replies. */
  readonly overlaps: boolean;
  /** All of it has left: the next mail may write. */
  written(bytes: number): void;
  /** The server took it, and its transaction is over. */
  succeeded(): void;
  /** Once, however it ended. */
  ended(): void;
}
