import { from, Observable, Subject, takeUntil, throwError, type MonoTypeOperatorFunction, type ObservableInput, type Observer } from 'rxjs';

/** Tells somebody outside. What their own clean-up throws is reported as RxJS reports what a handler throws, and is in nobody's way. */
export const outside = (tell: () => void): void => {
  try {
    tell();
  } catch (error) {
    throwError(() => error).subscribe();
  }
};

const quietly = <T>(observer: Observer<T>): Observer<T> => ({
  next: (value) => { observer.next(value); },
  error: (error: unknown) => { outside(() => { observer.error(error); }); },
  complete: () => { outside(() => { observer.complete(); }); },
});

/** For who listens outside. */
export const toOutside = <T>(): MonoTypeOperatorFunction<T> => (source) => new Observable((subscriber) => source.subscribe(quietly(subscriber)));

/** What the caller gave, whose own clean-up may throw. */
export const fromOutside = <T>(input: ObservableInput<T>): Observable<T> =>
  new Observable((subscriber) => {
    // Not by its subscription, which is not at hand while it is subscribed to.
    const stop$ = new Subject<void>();
    subscriber.add(() => { outside(() => { stop$.next(); }); });
    from(input).pipe(takeUntil(stop$)).subscribe({
      next: (value) => { subscriber.next(value); },
      error: (error: unknown) => { subscriber.error(error); },
      complete: () => { subscriber.complete(); },
    });
  });
