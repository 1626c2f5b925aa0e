import { AsyncResource } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { isPromise, isUint8Array } from 'node:util/types';
import { isObservable, type Observable } from 'rxjs';
import { asBuffer } from '../protocol/as-buffer.js';
import { reasonOf, sentence, SmtpSourceError, SmtpUsageError } from '../protocol/error.js';
import { endQuietly, isAsyncIterable, isOneShot, isOwnIterator, isReadable, isWebStream, iterate, iteratorOf } from './async-iterables.js';

/**
 * The bytes of a message or attachment; strings are UTF-8.
 * An Observable is subscribed to only when the server is ready, so a hot one loses what it emitted before: give a cold one, or a
 * `ReplaySubject`. It has no back-pressure: what it emits faster than the server reads waits in memory.
 */
export type Content = string | Uint8Array | Readable | AsyncIterable<Uint8Array | string> | Observable<Uint8Array | string>;

/** Content that is being read: all of it at hand, or chunk by chunk. Whoever opened it disposes of it. */
export type OpenContent =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; dispose(): void }
  | { readonly kind: 'stream'; readonly chunks: AsyncIterator<Uint8Array | string>; dispose(): void };

/** Content that was handed over and not opened yet. */
export interface Source {
  /** It can be opened any number of times: text, bytes, or a function that gives it anew. */
  readonly replayable: boolean;
  /** It can be read only once, and was. */
  readonly isSpent: boolean;
  /** @throws SmtpUsageError where it can be read only once and was; SmtpSourceError where its function fails. */
  open(): OpenContent;
  /** Destroys what can be read only once and never was opened. */
  discard(): void;
}

export const readTwice = (what = 'The content'): SmtpUsageError =>
  new SmtpUsageError({ phase: 'body', message: `${what} can be read only once, and it was read or destroyed before. Give a function that opens it anew.` });

/** Takes charge of content from now on: an early error of a stream must not end the process before anybody reads it. */
export const source = (content: Content | (() => Content)): Source => (typeof content === 'string' || isUint8Array(content) ? new Given(content) : new Called(content));

class Given implements Source {
  readonly replayable: boolean;
  readonly #content: Content | (() => Content);
  #spent = false;

  constructor(content: Content | (() => Content)) {
    this.#content = content;
    this.replayable = typeof content === 'string' || typeof content === 'function' || isUint8Array(content);
    if (isReadable(content)) bearErrors(content);
  }

  get isSpent(): boolean {
    return this.#spent || (isOneShot(this.#content) && isSpent(this.#content));
  }

  open(): OpenContent {
    if (this.#spent) throw readTwice();
    this.#spent = !this.replayable;
    return open(this.#content);
  }

  discard(): void {
    if (this.replayable || this.#spent) return;
    const content = this.#content;
    if (isReadable(content)) content.destroy();
    else if (isWebStream(content)) content.cancel().catch(ignore);
    else if (isOwnIterator(content)) endQuietly(content);
    else return;
    this.#spent = true;
  }
}

/** Content that is code of the caller's: it runs in the async context in which it was handed over, and not in that of a connection. */
class Called extends Given {
  readonly #caller = new AsyncResource('RXSMTP_CONTENT');

  override open(): OpenContent {
    return this.#caller.runInAsyncScope(() => super.open());
  }

  override discard(): void {
    this.#caller.runInAsyncScope(() => { super.discard(); });
  }
}

export const A_CONTENT = 'a string, bytes, a Readable, an AsyncIterable, an Observable, or a function that gives one';

/** Something that `open` can read, as far as can be told without reading it. */
export const isContent = (value: unknown): value is Content | (() => Content) =>
  typeof value === 'string' || typeof value === 'function' || isUint8Array(value) || isObservable(value) || isAsyncIterable(value);

// What can be iterated once, and is: a second reader would get what the first one left.
const taken = new WeakSet<object>();

/** Opens content; nothing is read before the first `next()`, which stays in the async context of now. */
export const open = (content: Content | (() => Content)): OpenContent => {
  const given: unknown = typeof content === 'function' ? call(content, 'The function that gives the content') : content;
  if (typeof given === 'string') return atHand(Buffer.from(given, 'utf8'));
  if (isUint8Array(given)) return atHand(asBuffer(given));
  if (isObservable(given)) return inChunks(iterate(given));
  if (isPromise(given)) given.catch(ignore);
  if (!isAsyncIterable(given)) throw new SmtpSourceError({ phase: 'body', message: notContent(given) });
  if (isOneShot(given)) takeOnce(given);
  if (isReadable(given)) hold(given);
  return inChunks(call(() => iteratorOf(given), 'The iterator of the content'));
};

const call = <T>(give: () => T, what: string): T => {
  try {
    return give();
  } catch (cause) {
    throw new SmtpSourceError({ phase: 'body', cause, retryable: true, message: `${what} failed: ${sentence(reasonOf(cause))}` });
  }
};

const notContent = (given: unknown): string =>
  isPromise(given)
    ? 'The function that gives the content returned a promise. Return the content itself; an async generator may wait inside.'
    : 'The content is no string, bytes, Readable, AsyncIterable or Observable.';

const takeOnce = (content: object): void => {
  if (isSpent(content)) throw readTwice();
  taken.add(content);
};

/** Read by a mail or elsewhere, if only in part. A stream that failed has that to tell instead. */
const isSpent = (content: object): boolean => {
  if (taken.has(content)) return true;
  // One that has ended, and gave nothing to anybody, is empty.
  if (isReadable(content)) return !(content.errored instanceof Error) && ((content.destroyed && !content.readableEnded) || Readable.isDisturbed(content));
  return isWebStream(content) && (content.locked || Readable.isDisturbed(content as unknown as NodeJS.ReadableStream));
};

// One listener does, however many mails hold the stream.
const bearErrors = (stream: Readable): void => {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
};

/** Until the server is ready nobody reads it, and what sets it flowing meanwhile would empty it: Node does so with the output of a child that has ended. */
const hold = (stream: Readable): void => {
  bearErrors(stream);
  stream.on('readable', ignore);
};

const atHand = (bytes: Buffer): OpenContent => ({ kind: 'bytes', bytes, dispose: ignore });

const inChunks = (given: AsyncIterator<unknown>): OpenContent => {
  let isOver = false;
  const dispose = AsyncResource.bind((): void => {
    // As `for await` does it: once, and not where it ended or failed by itself.
    if (!isOver) endQuietly(given);
    isOver = true;
  });
  const next = AsyncResource.bind(async (): Promise<IteratorResult<unknown>> => {
    try {
      const result = await given.next();
      isOver ||= result.done === true;
      return result;
    } catch (error) {
      isOver = true;
      throw error;
    }
  });
  return { kind: 'stream', chunks: checked(next, dispose), dispose };
};

/** Chunks are strings or bytes; a character that two strings share is put together again. */
const checked = (read: () => Promise<IteratorResult<unknown>>, dispose: () => void): AsyncIterator<Uint8Array | string> => {
  let half = '';
  const next = async (): Promise<IteratorResult<Uint8Array | string, undefined>> => {
    const result = await read();
    const chunk: unknown = result.done === true ? '' : result.value;
    const begun = half;
    if (typeof chunk === 'string') {
      const text = begun + chunk;
      half = result.done === true ? '' : /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
      return result.done === true && text === '' ? { done: true, value: undefined } : { done: false, value: half === '' ? text : text.slice(0, -1) };
    }
    if (!isUint8Array(chunk)) throw new SmtpSourceError({ phase: 'body', message: `A chunk of the content is neither a string nor bytes but ${chunk === null ? 'null' : typeof chunk}.` });
    half = '';
    // Half a character that nothing completes becomes U+FFFD, as everywhere.
    return { done: false, value: begun === '' ? chunk : Buffer.concat([Buffer.from(begun, 'utf8'), chunk]) };
  };
  let ended = false;
  return {
    next: async () => (ended ? { done: true, value: undefined } : next()),
    return: () => {
      ended = true;
      dispose();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
};

const ignore = (): void => undefined;
