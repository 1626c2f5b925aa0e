import { Observable, type ObservableInput, type Observer, type Subscriber, type Unsubscribable } from 'rxjs';
import type { Gate } from './gate.js';
import { COMPLETE, failed, supplyOf, type End } from './supply.js';

/** What becomes of the values and the failure of one piece of work. A failure that is thrown ends the whole. */
export interface Outcomes<T, V, R> {
  value(value: V, source: T, index: number): R;
  failure(error: unknown, source: T, index: number): R;
}

/** Begins the work on one value. */
type Start<T, V> = (value: T, observer: Observer<V>) => Unsubscribable;

/** How much is taken at a time. */
export interface Room {
  readonly concurrency: number;
  readonly gate?: Gate | undefined;
}

/**
 * Like `mergeMap`, but takes a value from its source only when there is room for it: arrays, iterables and async iterables
 * are pulled. An Observable cannot be slowed down; what it emits too fast waits here. When the source fails, or a failure is
 * thrown, nothing more is taken, and the whole fails when the work that was begun has ended: that cannot be taken back.
 */
export const pullMap = <T, V, R>(source: ObservableInput<T>, start: Start<T, V>, { concurrency, gate }: Room, outcomes: Outcomes<T, V, R>): Observable<R> =>
  new Observable((subscriber) => {
    // No Set: where values come and go all the time, its tables hold on to each other, and to what was in them.
    const active: Work<T, V, R>[] = [];
    let index = 0;
    let isFilling = false;
    let end: End | undefined;

    const done = (work: Work<T, V, R>, failure?: End): void => {
      // Its place is taken by the last one: there may be many, and they end all the time.
      const last = active.pop();
      if (last !== undefined && last !== work) active[last.place = work.place] = last;
      if (failure !== undefined && end === undefined) {
        end = failure;
        supply.stop();
      }
      fill();
    };
    /** In a loop: a source at hand must not deepen the stack. */
    const fill = (): void => {
      if (isFilling) return;
      isFilling = true;
      while (end === undefined && active.length < concurrency && gate?.isOpen !== false && !subscriber.closed && supply.give());
      isFilling = false;
      if (end === undefined || active.length > 0) return;
      if (end.failed) subscriber.error(end.error);
      else subscriber.complete();
    };
    const supply = supplyOf(source, {
      begin: (value) => {
        if (end !== undefined) return;
        const work = new Work(value, index++, subscriber, done, start, outcomes);
        work.place = active.push(work) - 1;
        work.begin();
      },
      end: (how) => { end ??= how; },
      fill,
    });
    subscriber.add(gate?.watch(fill));
    subscriber.add(() => {
      // In their order: the last one begun may still be writing, and giving it up first would disturb the others.
      active.splice(0).sort((a, b) => a.index - b.index).forEach((work) => { work.unsubscribe(); });
      if (end !== undefined) return;
      end = COMPLETE;
      supply.stop();
    });
    fill();
  });

/** The work on one value, told among all the others. */
class Work<T, V, R> implements Unsubscribable, Observer<V> {
  /** Among those that are active. */
  place = 0;
  readonly index: number;
  readonly #value: T;
  readonly #subscriber: Subscriber<R>;
  readonly #done: (work: Work<T, V, R>, failure?: End) => void;
  readonly #start: Start<T, V>;
  readonly #outcomes: Outcomes<T, V, R>;
  #running: Unsubscribable | undefined;
  #isOver = false;

  constructor(value: T, index: number, subscriber: Subscriber<R>, done: (work: Work<T, V, R>, failure?: End) => void, start: Start<T, V>, outcomes: Outcomes<T, V, R>) {
    this.#value = value;
    this.index = index;
    this.#subscriber = subscriber;
    this.#done = done;
    this.#start = start;
    this.#outcomes = outcomes;
  }

  get closed(): boolean {
    return this.#subscriber.closed;
  }

  begin(): void {
    const running = this.#start(this.#value, this);
    if (this.#isOver) running.unsubscribe();
    else this.#running = running;
  }

  next(value: V): void {
    this.#subscriber.next(this.#outcomes.value(value, this.#value, this.index));
  }

  error(error: unknown): void {
    this.#isOver = true;
    let outcome;
    try {
      outcome = this.#outcomes.failure(error, this.#value, this.index);
    } catch (failure) {
      this.#done(this, failed(failure));
      return;
    }
    this.#subscriber.next(outcome);
    this.#done(this);
  }

  complete(): void {
    this.#isOver = true;
    this.#done(this);
  }

  unsubscribe(): void {
    this.#isOver = true;
    this.#running?.unsubscribe();
  }
}
