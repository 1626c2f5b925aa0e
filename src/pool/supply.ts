import { from, Subscription, type Observable, type ObservableInput } from 'rxjs';

/** How a source ended. */
export type End = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

export const COMPLETE: End = { failed: false };
export const failed = (error: unknown): End => ({ failed: true, error });

/** Where values come from. */
interface Supply {
  /** Has one begun, or its end told. False: there is none at hand, and `fill` is called when there is. */
  give(): boolean;
  /** Nothing more is wanted. */
  stop(): void;
}

/** Whom a supply gives its values to. */
interface Demand<T> {
  begin(value: T): void;
  end(how: End): void;
  fill(): void;
}

/** Iterables and async iterables are pulled; what an Observable emits too fast waits. */
export const supplyOf = <T>(source: ObservableInput<T>, demand: Demand<T>): Supply => {
  if (Symbol.iterator in source) return pulled(source[Symbol.iterator](), demand);
  if (Symbol.asyncIterator in source) return pulled(source[Symbol.asyncIterator](), demand);
  return awaited(from(source), demand);
};

const pulled = <T>(iterator: Iterator<T> | AsyncIterator<T>, demand: Demand<T>): Supply => {
  let isWaiting = false;
  const take = (taken: IteratorResult<T, unknown>): void => {
    if (taken.done === true) demand.end(COMPLETE);
    else demand.begin(taken.value);
  };
  const give = (): boolean => {
    if (isWaiting) return false;
    let taken;
    try {
      taken = iterator.next();
    } catch (error) {
      demand.end(failed(error));
      return true;
    }
    // Promises come from anywhere: another realm's are no instances of ours.
    if (!('then' in taken)) {
      take(taken);
      return true;
    }
    isWaiting = true;
    Promise.resolve(taken).then(take).catch((error: unknown) => { demand.end(failed(error)); }).finally(() => {
      isWaiting = false;
      demand.fill();
    });
    return false;
  };
  // An async source may be busy; whether its clean-up works out is nobody's business any more.
  return { give, stop: () => { new Promise((resolve) => { resolve(iterator.return?.()); }).catch(() => undefined); } };
};

const awaited = <T>(source$: Observable<T>, demand: Demand<T>): Supply => {
  const waiting: T[] = [];
  let end: End | undefined;
  const subscription = new Subscription();
  let isListening = false;
  const ended = (how: End): void => {
    end = how;
    demand.fill();
  };
  const listen = (): void => {
    isListening = true;
    subscription.add(source$.subscribe({
      next: (value) => {
        waiting.push(value);
        demand.fill();
      },
      error: (error: unknown) => { ended(failed(error)); },
      complete: () => { ended(COMPLETE); },
    }));
  };
  const give = (): boolean => {
    if (!isListening) listen();
    if (waiting.length > 0) demand.begin(waiting.shift() as T);
    else if (end !== undefined) demand.end(end);
    else return false;
    return true;
  };
  return { give, stop: () => { subscription.unsubscribe(); } };
};
