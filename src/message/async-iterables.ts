import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { Subject, takeUntil, type Observable } from 'rxjs';
import { reasonOf } from '../protocol/error.js';
import { Queue } from './queue.js';

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function';

// By its looks: there are other copies of the class around.
export const isReadable = (value: unknown): value is Readable =>
  isAsyncIterable(value) && 'pipe' in value && typeof value.pipe === 'function' && 'on' in value && typeof value.on === 'function' && 'destroy' in value && typeof value.destroy === 'function';

/** The body of a response, say: it can be iterated again and again, and gives nothing any more once it was read. */
export const isWebStream = (value: unknown): value is ReadableStream => isAsyncIterable(value) && 'getReader' in value && 'cancel' in value && typeof value.cancel === 'function';

/** A generator in progress, say: it is its own iterator, so there is only one. */
export const isOwnIterator = (value: unknown): value is AsyncIterator<unknown> => isAsyncIterable(value) && 'next' in value && typeof value.next === 'function';

/** A second reader would get nothing, or what the first one left. */
export const isOneShot = (value: unknown): value is object => isReadable(value) || isWebStream(value) || isOwnIterator(value);

/** Of a stream, it gives the stream up at once: `return()` of its own iterator waits until more has come, which may be never. */
export const iteratorOf = (given: AsyncIterable<unknown>): AsyncIterator<unknown> => {
  if (isWebStream(given)) return readingOf(given);
  const iterator = given[Symbol.asyncIterator]();
  return isReadable(given) ? giving(() => iterator.next(), () => { given.destroy(); }) : iterator;
};

/** Its lock is let go of, however it ends: whoever gave the stream may cancel it then. */
const readingOf = (stream: ReadableStream): AsyncIterator<unknown> => {
  const reader = stream.getReader();
  const next = async (): Promise<IteratorResult<unknown>> => {
    let result: IteratorResult<unknown> | undefined;
    try {
      result = await reader.read() as IteratorResult<unknown>;
      return result;
    } finally {
      if (result?.done !== false) reader.releaseLock();
    }
  };
  return giving(next, () => reader.cancel().finally(() => { reader.releaseLock(); }));
};

const giving = (next: () => Promise<IteratorResult<unknown>>, giveUp: () => unknown): AsyncIterator<unknown> => ({
  next,
  return: async () => {
    await giveUp();
    return { done: true, value: undefined };
  },
});

/** An Observable read chunk by chunk: subscribed to by the first `next()`, and what comes in between is queued. */
export const iterate = (content$: Observable<unknown>): AsyncIterator<unknown> => {
  const queue = new Queue<unknown>();
  const stop$ = new Subject<void>();
  let isListening = false;
  let ended: (() => Promise<IteratorResult<unknown>>) | undefined;
  let wake: () => void = () => undefined;
  const done: IteratorResult<unknown> = { done: true, value: undefined };
  const end = (how: () => Promise<IteratorResult<unknown>>): void => {
    ended ??= how;
    wake();
  };
  const listen = (): void => {
    isListening = true;
    // Not by its subscription, which is not at hand while it is subscribed to.
    content$.pipe(takeUntil(stop$)).subscribe({
      next: (chunk) => { queue.push(chunk); wake(); },
      error: (error: unknown) => { end(() => Promise.reject(error instanceof Error ? error : new Error(reasonOf(error)))); },
      complete: () => { end(() => Promise.resolve(done)); },
    });
  };
  const next = async (): Promise<IteratorResult<unknown>> => {
    if (!isListening && ended === undefined) listen();
    if (queue.length === 0 && ended === undefined) await new Promise<void>((resolve) => { wake = resolve; });
    return queue.length > 0 ? { done: false, value: queue.shift() } : (ended?.() ?? done);
  };
  return {
    next,
    return: () => {
      queue.clear();
      stop$.next();
      end(() => Promise.resolve(done));
      return Promise.resolve(done);
    },
  };
};

/** Nobody is left to tell how its own clean-up goes. */
export const endQuietly = (iterator: { return?(): unknown }): void => {
  new Promise((resolve) => { resolve(iterator.return?.()); }).catch(() => undefined);
};
