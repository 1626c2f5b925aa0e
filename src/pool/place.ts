import type { Unsubscribable } from 'rxjs';

/** A place in a pool, given back once. */
export class Place implements Unsubscribable {
  closed: boolean;
  readonly #left: () => void;

  constructor(isRefused: boolean, left: () => void) {
    this.closed = isRefused;
    this.#left = left;
  }

  unsubscribe(): void {
    if (this.closed) return;
    this.closed = true;
    this.#left();
  }
}
