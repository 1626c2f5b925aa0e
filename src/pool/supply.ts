import { from, Observable, Subscription, takeUntil, type ObservableInput } from 'rxjs';
import { endQuietly, isAsyncIterable, iteratorOf } from '../message/async-iterables.js';
import { usage } from '../message/fields.js';
import { Queue } from '../message/queue.js';

/** How a source ended. */
export type End = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

export const COMPLETE: End = { failed: false };
export const failed = (error: unknown): End => ({ failed: true, error });

/** Where work comes from. */
export interface Supply<W> {
  /** Has some begun, or its end told. False: there is none at hand, and `fill` is called when there is. */
  give(): boolean;
  /** Nothing more is wanted. Gives what was taken charge of and not begun. */
  stop(): Iterable<W>;
}

/** Whom a supply gives its values to. */
export interface Demand<T, W> {
  /** Takes charge of a value as soon as it has come, however long it will wait. */
  take(value: T): W;
  begin(work: W): void;
  end(how: End): void;
  fill(): void;
}

/** Iterables and async iterables are pulled; what an Observable emits too fast waits. */
export const supplyOf = <T, W>(source: ObservableInput<T>, demand: Demand<T, W>): Supply<W> => {
  const given: unknown = source;
  if (typeof given !== 'object' || given === null) throw usage(NO_SOURCE);
  if (Symbol.iterator in source) return new Pulled(source[Symbol.iterator](), demand);
  if (isAsyncIterable(source)) return new Pulled(iteratorOf(source) as AsyncIterator<T>, demand);
  return new Pushed(observed(source), demand);
};

const NO_SOURCE = 'The messages must be a list, an iterable, an async iterable or an Observable of them. One message goes to send().';

const observed = <T>(source: ObservableInput<T>): Observable<T> => {
  try {
    return from(source);
  } catch {
    throw usage(NO_SOURCE);
  }
};

/** Gives a value when it is asked for one, or later where it is a promise. */
class Pulled<T, W> implements Supply<W> {
  readonly #iterator: Iterator<T, unknown> | AsyncIterator<T, unknown>;
  readonly #demand: Demand<T, W>;
  #isWaiting = false;
  #isRunning = false;
  #isStopped = false;

  constructor(iterator: Iterator<T, unknown> | AsyncIterator<T, unknown>, demand: Demand<T, W>) {
    this.#iterator = iterator;
    this.#demand = demand;
  }

  give(): boolean {
    if (this.#isWaiting) return false;
    let isDone: boolean | undefined;
    let value: unknown;
    try {
      const taken = this.#next();
      // Promises come from anywhere: another realm's are no instances of ours.
      if ('then' in taken) {
        this.#wait(taken);
        return false;
      }
      ({ done: isDone, value } = taken);
    } catch (error) {
      this.#demand.end(failed(error));
      return true;
    }
    this.#take(isDone, value as T);
    return true;
  }

  stop(): Iterable<W> {
    this.#isStopped = true;
    if (!this.#isRunning) endQuietly(this.#iterator);
    return [];
  }

  /** A generator that runs cannot be closed: one that ends all itself is closed when it has come to its next value. */
  #next(): IteratorResult<T, unknown> | Promise<IteratorResult<T, unknown>> {
    this.#isRunning = true;
    try {
      return this.#iterator.next();
    } finally {
      this.#isRunning = false;
      if (this.#isStopped) endQuietly(this.#iterator);
    }
  }

  #take(isDone: boolean | undefined, value: T): void {
    if (isDone === true) this.#demand.end(COMPLETE);
    else this.#demand.begin(this.#demand.take(value));
  }

  #wait(taken: Promise<IteratorResult<T, unknown>>): void {
    this.#isWaiting = true;
    Promise.resolve(taken).then(({ done, value }) => { this.#take(done, value as T); }).catch((error: unknown) => { this.#demand.end(failed(error)); }).finally(() => {
      this.#isWaiting = false;
      this.#demand.fill();
    });
  }
}

/** Its values wait here until they are wanted. It is listened to from the first time that one is. */
class Pushed<T, W> implements Supply<W> {
  readonly #source$: Observable<T>;
  readonly #demand: Demand<T, W>;
  readonly #waiting = new Queue<W>();
  readonly #subscription = new Subscription();
  #isListening = false;
  #end: End | undefined;

  constructor(source$: Observable<T>, demand: Demand<T, W>) {
    this.#source$ = source$;
    this.#demand = demand;
  }

  give(): boolean {
    if (!this.#isListening) this.#listen();
    if (this.#waiting.length > 0) this.#demand.begin(this.#waiting.shift() as W);
    else if (this.#end !== undefined) this.#demand.end(this.#end);
    else return false;
    return true;
  }

  stop(): Iterable<W> {
    try {
      this.#subscription.unsubscribe();
    } catch { /* Nobody is left to tell how its own clean-up goes. */ }
    return this.#waiting;
  }

  #listen(): void {
    this.#isListening = true;
    const ended = (how: End): void => {
      if (this.#subscription.closed) return;
      this.#end = how;
      this.#demand.fill();
    };
    // What it emits while it is subscribed to may end all, and then it must stop there: its own subscription is not at hand yet.
    const stopped$ = new Observable<void>((stopped) => { this.#subscription.add(() => { stopped.next(); }); });
    this.#subscription.add(this.#source$.pipe(takeUntil(stopped$)).subscribe({
      next: (value) => {
        this.#waiting.push(this.#demand.take(value));
        this.#demand.fill();
      },
      error: (error: unknown) => { ended(failed(error)); },
      complete: () => { ended(COMPLETE); },
    }));
  }
}
