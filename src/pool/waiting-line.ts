/** First come, first served, and each may leave from where it stands. Linked, and no Set (docs/decisions/17-what-v8-keeps.md). */
export class WaitingLine<T> {
  length = 0;
  first: Spot<T> | undefined;
  #last: Spot<T> | undefined;

  join(value: T): Spot<T> {
    const spot = new Spot(value, this);
    spot.ahead = this.#last;
    if (this.#last === undefined) this.first = spot;
    else this.#last.behind = spot;
    this.#last = spot;
    this.length += 1;
    return spot;
  }

  /** Closes the gap that one leaves, who holds on to nobody in the line any more. */
  close(spot: Spot<T>): void {
    const { ahead, behind } = spot;
    if (ahead === undefined) this.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) this.#last = ahead;
    else behind.ahead = ahead;
    spot.ahead = spot.behind = undefined;
    this.length -= 1;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let spot = this.first; spot !== undefined; spot = spot.behind) yield spot.value;
  }
}

/** Where one stands in a line, until it leaves. */
export class Spot<T> {
  readonly value: T;
  ahead: Spot<T> | undefined;
  behind: Spot<T> | undefined;
  #line: WaitingLine<T> | undefined;

  constructor(value: T, line: WaitingLine<T>) {
    this.value = value;
    this.#line = line;
  }

  /** Nothing happens the second time. */
  leave(): void {
    this.#line?.close(this);
    this.#line = undefined;
  }
}
