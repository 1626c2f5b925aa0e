/** At most so many mails in any stretch of `per` milliseconds. */
export interface Rate {
  readonly messages: number;
  readonly per: number;
}

/** When the next mail may start, so that no window of time holds too many. */
export class RateLimit {
  readonly #rate: Rate;
  /** When the last ones were started: a ring, the next to overwrite is the oldest. */
  readonly #starts: number[] = [];
  #oldest = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Milliseconds from `now`; 0 or less: at once. */
  wait(now: number): number {
    const { messages, per } = this.#rate;
    return this.#starts.length < messages ? 0 : (this.#starts[this.#oldest] ?? 0) + per - now;
  }

  started(now: number): void {
    this.#starts[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#rate.messages;
  }
}
