import type { SchedulerLike } from 'rxjs';
import { remaining } from '../transport/clock.js';
import { Alarm } from './alarm.js';
import type { Ceiling } from './ceiling.js';
import type { Connection } from './connection.js';

// A mail waits no longer (ms) for a greeting beside a connection that is idle: a server that has no process left for another one says nothing.
const PATIENCE = 1_000;

/** Lets a mail that waits for the greeting of its own connection go with one that is idle. */
export class Relief {
  readonly #connections: readonly Connection[];
  readonly #ceiling: Ceiling;
  readonly #scheduler: SchedulerLike;
  readonly #alarm: Alarm;

  /** @param connections those of a pool, at any time. */
  constructor(connections: readonly Connection[], ceiling: Ceiling, scheduler: SchedulerLike) {
    this.#connections = connections;
    this.#ceiling = ceiling;
    this.#scheduler = scheduler;
    this.#alarm = new Alarm(scheduler, () => { this.look(); });
  }

  /** One is idle: the mail that waits the longest goes with it, now or once it has waited long enough. */
  look(): void {
    const slow = this.#connections.find(({ isHeard, inFlight }) => !isHeard && inFlight > 0);
    if (slow === undefined || !this.#connections.some(({ inFlight }) => inFlight === 0)) return;
    const wait = remaining(this.#scheduler, slow.openedAt + PATIENCE);
    if (wait > 0) {
      this.#alarm.set(wait);
      return;
    }
    this.#ceiling.take(this.#connections.filter(({ isHeard }) => isHeard).length, slow.address);
    slow.deliveries[0]?.postpone();
    this.look();
  }

  /** No connection is left. */
  stop(): void {
    this.#alarm.stop();
  }
}
