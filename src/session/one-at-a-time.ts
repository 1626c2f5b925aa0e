import { Observable, type MonoTypeOperatorFunction, type Subscription } from 'rxjs';

const queues = new WeakMap<object, (() => void)[]>();

/** Lets one subscription at a time use `shared`, an object with a state of its own; the others wait for their turn. */
export const oneAtATime = <T>(shared: object): MonoTypeOperatorFunction<T> => (source) =>
  new Observable((subscriber) => {
    const queue = queues.get(shared) ?? [];
    queues.set(shared, queue);
    let running: Subscription | undefined;
    const begin = (): void => { running = source.subscribe(subscriber); };
    queue.push(begin);
    // At once where whoever asks has left before.
    subscriber.add(() => {
      const isFirst = queue[0] === begin;
      running?.unsubscribe();
      queue.splice(queue.indexOf(begin), 1);
      if (isFirst) queue[0]?.();
    });
    if (queue[0] === begin) begin();
  });
