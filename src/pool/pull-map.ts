import { from, mergeMap, Observable, type ObservableInput } from 'rxjs';

/**
 * Like `mergeMap`, but takes a value from its source only when there is room for it: arrays, iterables and async iterables
 * are pulled. An Observable cannot be slowed down; what it emits too fast waits here.
 */
export const pullMap = <T, R>(source: ObservableInput<T>, project: (value: T, index: number) => Observable<R>, concurrency: number): Observable<R> => {
  if (Symbol.iterator in source) return pull(() => source[Symbol.iterator](), project, concurrency);
  if (Symbol.asyncIterator in source) return pull(() => source[Symbol.asyncIterator](), project, concurrency);
  return from(source).pipe(mergeMap(project, concurrency));
};

type Taken<T> = IteratorResult<T, unknown>;

const pull = <T, R>(open: () => Iterator<T> | AsyncIterator<T>, project: (value: T, index: number) => Observable<R>, concurrency: number): Observable<R> =>
  new Observable((subscriber) => {
    const iterator = open();
    let index = 0;
    let active = 0;
    let isTaking = false;
    let hasEnded = false;

    const begin = (value: T): void => {
      active += 1;
      subscriber.add(project(value, index++).subscribe({
        next: (result) => { subscriber.next(result); },
        error: (error: unknown) => { subscriber.error(error); },
        complete: () => {
          active -= 1;
          fill();
        },
      }));
    };
    const take = ({ done, value }: Taken<T>): void => {
      if (done === true) hasEnded = true;
      else begin(value);
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
        take(taken as Taken<T>);
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
