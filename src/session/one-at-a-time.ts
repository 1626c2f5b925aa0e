import { finalize, Observable, type MonoTypeOperatorFunction } from 'rxjs';

const queues = new WeakMap<object, (() => void)[]>();

/** Lets one subscription at a time use `shared`, an object with a state of its own; the others wait for their turn. */
export const oneAtATime = <T>(shared: object): MonoTypeOperatorFunction<T> => (source) =>
  new Observable((subscriber) => {
    const queue = queues.get(shared) ?? [];
    queues.set(shared, queue);
    // Whoever asks may have left before.
    if (subscriber.closed) return undefined;
    const begin = (): void => {
      source.pipe(finalize(() => {
        queue.shift();
        queue[0]?.();
      })).subscribe(subscriber);
    };
    queue.push(begin);
    if (queue[0] === begin) begin();
    return () => {
      // Gives up while it waits.
      const place = queue.indexOf(begin);
      if (place > 0) queue.splice(place, 1);
    };
  });
