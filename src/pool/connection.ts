import { Subscription, type SchedulerLike } from 'rxjs';
import type { Opening } from '../session/open-session.js';
import type { Session } from '../session/session.js';
import { remaining } from '../transport/clock.js';
import type { Delivery } from './delivery.js';
import type { PoolSettings } from './settings.js';

/** One connection of a pool, from the decision to open it until it is left. */
export class Connection {
  /** Unsubscribing leaves the server. */
  readonly subscription = new Subscription();
  readonly openedAt: number;
  /** Of the server, or of what stands in front of it; undefined until it is connected. */
  address: string | undefined;
  /** The server has greeted. */
  isGreeted = false;
  /** Undefined while it is opening. */
  session: Session | undefined;
  /** What is on the way here. */
  readonly deliveries: Delivery[] = [];

  readonly #settings: PoolSettings;
  readonly #scheduler: SchedulerLike;
  /** Tells when it was idle for too long. */
  #idling: Subscription | undefined;
  #idleUntil = Infinity;

  constructor(settings: PoolSettings, scheduler: SchedulerLike) {
    this.#settings = settings;
    this.#scheduler = scheduler;
    this.openedAt = scheduler.now();
  }

  /** How far it has come. */
  meets(step: Opening): void {
    if (step.type === 'connected') this.address = step.remote.address;
    else if (step.type === 'greeted') this.isGreeted = true;
    else if (step.type === 'session') this.session = step.session;
  }

  /** Mails on the way here. */
  get inFlight(): number {
    return this.deliveries.length;
  }

  /** Nothing is. */
  get isIdle(): boolean {
    return this.inFlight === 0;
  }

  /** It takes a mail now, behind those that are on the way here: it has not done its share yet, nor was idle for too long. */
  get hasRoom(): boolean {
    const { session } = this;
    if (session === undefined || !session.hasRoom || session.isSpent || session.begun >= this.#settings.maxMessages) return false;
    // Not left to the timer: a pause of the process holds that up, and the mail of another timer may come first.
    const end = this.#endsAt;
    return end === Infinity || this.#scheduler.now() < end;
  }

  /** When it grows too old, or was idle for too long. */
  get #endsAt(): number {
    return Math.min(this.openedAt + this.#settings.maxAge, this.#idleUntil);
  }

  /** Nothing is on the way here any more. */
  idles(expired: () => void): void {
    if (this.#idling !== undefined) return;
    this.#idleUntil = this.#scheduler.now() + this.#settings.idleTimeout;
    // Where it grew too old it would only be in the way of a new one.
    const end = this.#endsAt;
    if (end !== Infinity) this.#idling = this.#scheduler.schedule(expired, remaining(this.#scheduler, end));
  }

  /** Something is, or it is being left. */
  idlesNoMore(): void {
    this.#idling?.unsubscribe();
    this.#idling = undefined;
    this.#idleUntil = Infinity;
  }

  /** Another one got no answer since then. If this one has said nothing either, it may be gone as well. */
  suspect(since: number): void {
    if (this.isIdle && this.session !== undefined && this.session.wire.heardAt <= since) this.#idleUntil = since;
  }

  /** Whether it keeps the process alive. */
  keepProcess(on: boolean): void {
    this.session?.wire.stream.keepProcess(on);
  }
}
