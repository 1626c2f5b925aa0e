import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

const SIZE = 64 * 1024;
const LARGE = 16 * 1024;

/**
 * What is small is joined: the pieces of one turn leave in one write, and in one packet where they fit: the end of one mail
 * with the begin of the next. What is large goes by itself. The order stays.
 */
export class WriteBuffer {
  readonly #out: Writable;
  /** The kernel has a copy of what a socket has taken; a stream of the caller's own may hand on the very memory. */
  readonly #copies: boolean;
  #bytes: Buffer | undefined;
  #size = 0;

  constructor(out: Writable) {
    this.#out = out;
    this.#copies = !(out instanceof Socket);
  }

  /** What is written now leaves together with something that waits here. */
  get isGathering(): boolean {
    return this.#size > 0;
  }

  write(chunk: string | Uint8Array): void {
    // One UTF-16 unit takes three bytes of UTF-8 at most.
    const most = typeof chunk === 'string' ? 3 * chunk.length : chunk.length;
    if (this.#size + most > SIZE || most > LARGE) this.flush();
    if (most > LARGE) {
      this.#out.write(chunk);
      return;
    }
    const bytes = this.#roomFor(this.#size + most);
    if (this.#size === 0) process.nextTick(this.flush);
    if (typeof chunk === 'string') this.#size += bytes.write(chunk, this.#size);
    else {
      bytes.set(chunk, this.#size);
      this.#size += chunk.length;
    }
  }

  /** Grows with what one turn writes: a connection that says little is no burden. */
  #roomFor(size: number): Buffer {
    const bytes = this.#bytes;
    if (bytes !== undefined && size <= bytes.length) return bytes;
    const larger = Buffer.allocUnsafeSlow(Math.min(SIZE, 2 * size));
    bytes?.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
    return larger;
  }

  /** Something large; `taken` is called when its memory may be used again, and never if the stream fails. */
  take(bytes: Uint8Array, taken: () => void): void {
    this.flush();
    this.#out.write(this.#copies ? Buffer.from(bytes) : bytes, (error) => { if (error == null) taken(); });
  }

  readonly flush = (): void => {
    const bytes = this.#bytes;
    if (this.#size === 0 || bytes === undefined) return;
    const joined = bytes.subarray(0, this.#size);
    this.#size = 0;
    if (!this.#out.writable) return;
    if (this.#copies) this.#out.write(Buffer.from(joined));
    else {
      this.#bytes = undefined;
      this.#out.write(joined, () => { this.#bytes ??= bytes; });
    }
  };
}
