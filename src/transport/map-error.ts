import { catchError, throwError, type MonoTypeOperatorFunction } from 'rxjs';

/** Tells a failure as another error, when what failed is torn down: what a selector throws by itself is told before. */
export const mapError = <T>(change: (error: unknown) => unknown): MonoTypeOperatorFunction<T> =>
  catchError((error: unknown) => throwError(() => change(error)));
