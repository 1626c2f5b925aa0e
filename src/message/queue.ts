/** What a source gives faster than it is taken: first in, first out. Two lists, because taking from the front of a long one would move all that is behind. */
export class Queue<T> {
  /** The next one is the last. */
  #front: T[] = [];
  #back: T[] = [];

  get length(): number {
    return this.#front.length + this.#back.length;
  }

  push(value: T): void {
    this.#back.push(value);
  }

  shift(): T | undefined {
    if (this.#front.length === 0) [this.#front, this.#back] = [this.#back.reverse(), this.#front];
    return this.#front.pop();
  }

  *[Symbol.iterator](): Generator<T> {
    while (this.length > 0) yield this.shift() as T;
  }

  clear(): void {
    this.#front = [];
    this.#back = [];
  }
}
