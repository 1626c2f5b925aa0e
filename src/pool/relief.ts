import type { SchedulerLike } from 'rxjs';
import { remaining } from '../transport/clock.js';
import { Alarm } from './alarm.js';
import type { Ceiling } from './ceiling.js';
import type { Connection } from './connection.js';

// A mail waits no longer (ms) for a greeting beside a connection that is idle: a server that has no process left for another one says nothing.
const PATIENCE = 1_000;

/** Lets a connection that is idle take the mail that waits the longest for the greeting of its own one. */
export class Relief {
  readonly #connections: readonly Connection[];
  readonly #ceiling: Ceiling;
  readonly #scheduler: SchedulerLike;
  readonly #alarm: Alarm;

  constructor(connections: readonly Connection[], ceiling: Ceiling, scheduler: SchedulerLike) {
    this.#connections = connections;
    this.#ceiling = ceiling;
    this.#scheduler = scheduler;
    this.#alarm = new Alarm(scheduler, () => { this.relieve(); });
  }

  /** Now, or as soon as that mail has waited for long enough. */
  relieve(): void {
    const slow = this.#connections.find(({ isGreeted, isIdle }) => !isGreeted && !isIdle);
    if (slow === undefined || !this.#connections.some(({ isIdle }) => isIdle)) return;
    const wait = remaining(this.#scheduler, slow.openedAt + PATIENCE);
    if (wait > 0) {
      this.#alarm.set(wait);
      return;
    }
    this.#ceiling.take(this.#connections.filter(({ isGreeted }) => isGreeted).length, slow.address);
    slow.deliveries[0]?.beginAgain();
    this.relieve();
  }

  stop(): void {
    this.#alarm.stop();
  }
}
