import { Subscription, type SchedulerLike } from 'rxjs';
import type { Session } from '../session/session.js';
import type { Delivery } from './delivery.js';
import type { PoolSettings } from './pool-state.js';

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

  constructor(openedAt: number) {
    this.openedAt = openedAt;
  }

  get mails(): number {
    return this.deliveries.length;
  }

  /** It has done its share, and takes no further mail. */
  isWorn({ maxMessages, maxAge }: PoolSettings, scheduler: SchedulerLike): boolean {
    const { session } = this;
    return (session !== undefined && (session.mails >= maxMessages || session.isSpent)) || (maxAge !== Infinity && scheduler.now() - this.openedAt >= maxAge);
  }

  /** Whether it keeps the process alive. */
  keepAlive(on: boolean): void {
    this.session?.wire.stream.keepAlive(on);
  }
}
