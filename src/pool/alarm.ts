import type { SchedulerLike, Subscription } from 'rxjs';

/** Rings once, some time after it was set. Set again while it is, it rings at the time that was set first. */
export class Alarm {
  readonly #scheduler: SchedulerLike;
  readonly #ring: () => void;
  #ringing: Subscription | undefined;

  constructor(scheduler: SchedulerLike, ring: () => void) {
    this.#scheduler = scheduler;
    this.#ring = ring;
  }

  /** @param wait in ms. */
  set(wait: number): void {
    this.#ringing ??= this.#scheduler.schedule(() => {
      this.#ringing = undefined;
      this.#ring();
    }, wait);
  }

  stop(): void {
    this.#ringing?.unsubscribe();
    this.#ringing = undefined;
  }
}
