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

  /** Milliseconds from `now`, behind so many that will start as well; 0 or less: at once. */
  wait(now: number, ahead = 0): number {
    const { messages, per } = this.#rate;
    if (ahead >= messages) return per;
    const free = messages - this.#starts.length;
    return ahead < free ? 0 : (this.#starts[(free === 0 ? this.#oldest + ahead : ahead - free) % messages] ?? 0) + per - now;
  }

  started(now: number): void {
    this.#starts[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#rate.messages;
  }
}
