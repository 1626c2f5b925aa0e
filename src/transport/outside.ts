import { from, Observable, throwError, type ObservableInput } from 'rxjs';

/** Tells somebody outside. What their own clean-up throws is reported as RxJS reports what a handler throws, and is in nobody's way. */
export const outside = (tell: () => void): void => {
  try {
    tell();
  } catch (error) {
    throwError(() => error).subscribe();
  }
};

/** What the caller gave, whose own clean-up may throw. */
export const fromOutside = <T>(input: ObservableInput<T>): Observable<T> =>
  new Observable((subscriber) => {
    const running = from(input).subscribe({
      next: (value) => { subscriber.next(value); },
      error: (error: unknown) => { subscriber.error(error); },
      complete: () => { subscriber.complete(); },
    });
    return () => { outside(() => { running.unsubscribe(); }); };
  });
