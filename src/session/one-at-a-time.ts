import { finalize, Observable, type MonoTypeOperatorFunction } from 'rxjs';

class Line {
  /** The first of them runs. */
  readonly #all: (() => void)[] = [];
  #isBeginning = false;

  join(begin: () => void): void {
    this.#all.push(begin);
    if (this.#all.length === 1) this.#begin();
  }

  /** True where it waited. */
  givesUp(begin: () => void): boolean {
    const place = this.#all.indexOf(begin);
    if (place > 0) this.#all.splice(place, 1);
    return place > 0;
  }

  ended(): void {
    this.#all.shift();
    this.#begin();
  }

  /** In a loop: one that ends in the turn in which it begins must not deepen the stack. */
  #begin(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    let begun: (() => void) | undefined;
    while (this.#all[0] !== begun) {
      begun = this.#all[0];
      begun?.();
    }
    this.#isBeginning = false;
  }
}

const lines = new WeakMap<object, Line>();

/** Lets one subscription at a time use `shared`, an object with a state of its own; the others wait for their turn. `neverBegun`: who gave up while waiting. */
export const oneAtATime = <T>(shared: object, neverBegun: () => void = () => undefined): MonoTypeOperatorFunction<T> => (source) =>
  new Observable((subscriber) => {
    const line = lines.get(shared) ?? new Line();
    lines.set(shared, line);
    // Whoever asks may have left before.
    if (subscriber.closed) return undefined;
    const begin = (): void => { source.pipe(finalize(() => { line.ended(); })).subscribe(subscriber); };
    line.join(begin);
    return () => { if (line.givesUp(begin)) neverBegun(); };
  });
