import { from, mergeMap, Observable, type ObservableInput, type Subscriber } from 'rxjs';

/** What becomes of the values and the failure of one inner observable. A failure that is thrown ends the whole. */
export interface Outcomes<T, V, R> {
  value(value: V, source: T, index: number): R;
  failure(error: unknown, source: T, index: number): R;
}

/**
 * Like `mergeMap`, but takes a value from its source only when there is room for it: arrays, iterables and async iterables
 * are pulled. An Observable cannot be slowed down; what it emits too fast waits here.
 */
export const pullMap = <T, V, R>(source: ObservableInput<T>, project: (value: T) => Observable<V>, concurrency: number, outcomes: Outcomes<T, V, R>): Observable<R> => {
  const run = (value: T, index: number, subscriber: Subscriber<R>, done: () => void): void => {
    subscriber.add(project(value).subscribe({
      next: (result) => { subscriber.next(outcomes.value(result, value, index)); },
      error: (error: unknown) => {
        try {
          subscriber.next(outcomes.failure(error, value, index));
        } catch (failure) {
          subscriber.error(failure);
          return;
        }
        done();
      },
      complete: done,
    }));
  };
  if (Symbol.iterator in source) return pull(() => source[Symbol.iterator](), run, concurrency);
  if (Symbol.asyncIterator in source) return pull(() => source[Symbol.asyncIterator](), run, concurrency);
  return from(source).pipe(mergeMap((value, index) => new Observable<R>((subscriber) => { run(value, index, subscriber, () => { subscriber.complete(); }); }), concurrency));
};

type Run<T, R> = (value: T, index: number, subscriber: Subscriber<R>, done: () => void) => void;

const pull = <T, R>(open: () => Iterator<T> | AsyncIterator<T>, run: Run<T, R>, concurrency: number): Observable<R> =>
  new Observable((subscriber) => {
    const iterator = open();
    let index = 0;
    let active = 0;
    let isTaking = false;
    let hasEnded = false;

    const done = (): void => {
      active -= 1;
      fill();
    };
    const take = (taken: IteratorResult<T, unknown>): void => {
      if (taken.done === true) {
        hasEnded = true;
        return;
      }
      active += 1;
      run(taken.value, index++, subscriber, done);
    };
    const fail = (error: unknown): void => {
      hasEnded = true;
      subscriber.error(error);
    };
    /** One at a time, and in a loop: a source at hand must not deepen the stack. */
    const fill = (): void => {
      if (isTaking) return;
      isTaking = true;
      while (!hasEnded && active < concurrency && !subscriber.closed) {
        const taken = iterator.next();
        if (taken instanceof Promise) {
          taken.then((result) => {
            isTaking = false;
            if (subscriber.closed) return;
            take(result);
            fill();
          }).catch(fail);
          return;
        }
        take(taken as IteratorResult<T, unknown>);
      }
      isTaking = false;
      if (hasEnded && active === 0) subscriber.complete();
    };

    subscriber.add(() => {
      if (hasEnded) return;
      hasEnded = true;
      // An async source may be busy; whether its clean-up works out is nobody's business any more.
      const left: unknown = iterator.return?.();
      if (left instanceof Promise) left.catch(() => undefined);
    });
    try {
      fill();
    } catch (error) {
      fail(error);
    }
  });
