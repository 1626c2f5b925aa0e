import { from, mergeMap, Observable, type ObservableInput, type Observer, type Subscriber, type Unsubscribable } from 'rxjs';

/** What becomes of the values and the failure of one piece of work. A failure that is thrown ends the whole. */
export interface Outcomes<T, V, R> {
  value(value: V, source: T, index: number): R;
  failure(error: unknown, source: T, index: number): R;
}

/** Begins the work on one value. */
type Start<T, V> = (value: T, observer: Observer<V>) => Unsubscribable;

/**
 * Like `mergeMap`, but takes a value from its source only when there is room for it: arrays, iterables and async iterables
 * are pulled. An Observable cannot be slowed down; what it emits too fast waits here.
 */
export const pullMap = <T, V, R>(source: ObservableInput<T>, start: Start<T, V>, concurrency: number, outcomes: Outcomes<T, V, R>): Observable<R> => {
  const take: Take<T, R> = (value, index, subscriber, done) => new Work(value, index, subscriber, done, start, outcomes);
  if (Symbol.iterator in source) return pull(() => source[Symbol.iterator](), take, concurrency);
  if (Symbol.asyncIterator in source) return pull(() => source[Symbol.asyncIterator](), take, concurrency);
  return from(source).pipe(mergeMap((value, index) => new Observable<R>((subscriber) => {
    const work = take(value, index, subscriber, () => { subscriber.complete(); });
    work.begin();
    return work;
  }), concurrency));
};

/** What is done with one value, and can be undone. */
interface Task extends Unsubscribable {
  begin(): void;
}

type Take<T, R> = (value: T, index: number, subscriber: Subscriber<R>, done: (task: Task) => void) => Task;

/** The work on one value, told among all the others. */
class Work<T, V, R> implements Task, Observer<V> {
  readonly #value: T;
  readonly #index: number;
  readonly #subscriber: Subscriber<R>;
  readonly #done: (task: Task) => void;
  readonly #start: Start<T, V>;
  readonly #outcomes: Outcomes<T, V, R>;
  #running: Unsubscribable | undefined;
  #isOver = false;

  constructor(value: T, index: number, subscriber: Subscriber<R>, done: (task: Task) => void, start: Start<T, V>, outcomes: Outcomes<T, V, R>) {
    this.#value = value;
    this.#index = index;
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
    this.#subscriber.next(this.#outcomes.value(value, this.#value, this.#index));
  }

  error(error: unknown): void {
    this.#isOver = true;
    try {
      this.#subscriber.next(this.#outcomes.failure(error, this.#value, this.#index));
    } catch (failure) {
      this.#subscriber.error(failure);
      return;
    }
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

const pull = <T, R>(open: () => Iterator<T> | AsyncIterator<T>, take: Take<T, R>, concurrency: number): Observable<R> =>
  new Observable((subscriber) => {
    const iterator = open();
    // No Set: where values come and go all the time, its tables hold on to each other, and to what was in them.
    const active: Task[] = [];
    let index = 0;
    let isTaking = false;
    let hasEnded = false;

    const done = (task: Task): void => {
      active.splice(active.indexOf(task), 1);
      fill();
    };
    const begin = (taken: IteratorResult<T, unknown>): void => {
      if (taken.done === true) {
        hasEnded = true;
        return;
      }
      const task = take(taken.value, index++, subscriber, done);
      active.push(task);
      task.begin();
    };
    const fail = (error: unknown): void => {
      hasEnded = true;
      subscriber.error(error);
    };
    /** Nothing when the source fails: a mail that has just ended must not be troubled with that. */
    const next = (): IteratorResult<T, unknown> | Promise<IteratorResult<T, unknown>> | undefined => {
      try {
        return iterator.next();
      } catch (error) {
        fail(error);
        return undefined;
      }
    };
    /** One at a time, and in a loop: a source at hand must not deepen the stack. */
    const fill = (): void => {
      if (isTaking) return;
      isTaking = true;
      while (!hasEnded && active.length < concurrency && !subscriber.closed) {
        const taken = next();
        if (taken === undefined) break;
        // Promises come from anywhere: another realm's are no instances of ours.
        if ('then' in taken) {
          Promise.resolve(taken).then((result) => {
            isTaking = false;
            if (subscriber.closed) return;
            begin(result);
            fill();
          }).catch(fail);
          return;
        }
        begin(taken);
      }
      isTaking = false;
      if (hasEnded && active.length === 0) subscriber.complete();
    };

    subscriber.add(() => {
      for (const task of active.splice(0)) task.unsubscribe();
      if (hasEnded) return;
      hasEnded = true;
      // An async source may be busy; whether its clean-up works out is nobody's business any more.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
    });
    fill();
  });
