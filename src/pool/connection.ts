import { Subscription, type SchedulerLike } from 'rxjs';
import type { Session } from '../session/session.js';
import type { Delivery } from './delivery.js';
import type { PoolSettings } from './settings.js';

/** One connection of a pool, from the decision to open it until it is left. */
export class Connection {
  /** Unsubscribing leaves the server. */
  readonly subscription = new Subscription();
  readonly openedAt: number;
  /** Undefined while it is opening. */
  session: Session | undefined;
  /** What is on the way here. */
  readonly deliveries: Delivery[] = [];
  /** Ends it when it was idle for too long. */
  idling: Subscription | undefined;

  readonly #settings: PoolSettings;
  readonly #scheduler: SchedulerLike;

  constructor(settings: PoolSettings, scheduler: SchedulerLike) {
    this.#settings = settings;
    this.#scheduler = scheduler;
    this.openedAt = scheduler.now();
  }

  /** Mails on the way here. */
  get inFlight(): number {
    return this.deliveries.length;
  }

  /** It has done its share, and takes no further mail. */
  get isWorn(): boolean {
    const { session } = this;
    const { maxMessages, maxAge } = this.#settings;
    return (session !== undefined && (session.begun >= maxMessages || session.isSpent)) || (maxAge !== Infinity && this.#scheduler.now() - this.openedAt >= maxAge);
  }

  /** Whether it keeps the process alive. */
  keepProcess(on: boolean): void {
    this.session?.wire.stream.keepProcess(on);
  }
}
