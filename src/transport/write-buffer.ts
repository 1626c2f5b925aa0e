import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { afterPoll, soon } from './soon.js';

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
  /** Where what was given away ends. A large text counts as long as it can be. */
  #left = 0;
  /** What is not to leave any more, by its places in `#bytes`. */
  readonly #withdrawn: (readonly [from: number, to: number])[] = [];

  constructor(out: Writable) {
    this.#out = out;
    this.#copies = !(out instanceof Socket);
  }

  /** What is written now leaves together with something that waits here. */
  get isGathering(): boolean {
    return this.#size > 0;
  }

  /** Where what was written ends, what waits here included. */
  get position(): number {
    return this.#left + this.#size;
  }

  /** What was written from that point on has begun to leave. */
  hasLeft(from: number): boolean {
    return from < this.#left;
  }

  /** Takes back what was written between two points; false where some of it has left. What was written behind it stays. */
  withdraw(from: number, to: number): boolean {
    if (this.hasLeft(from)) return false;
    this.#withdrawn.push([from - this.#left, to - this.#left]);
    return true;
  }

  write(chunk: string | Uint8Array): void {
    // One UTF-16 unit takes three bytes of UTF-8 at most.
    const most = typeof chunk === 'string' ? 3 * chunk.length : chunk.length;
    if (this.#size + most > SIZE || most > LARGE) this.flush();
    if (most > LARGE) {
      this.#left += most;
      if (this.#out.writable) this.#out.write(chunk);
      return;
    }
    const bytes = this.#roomFor(this.#size + most);
    if (this.#size === 0) soon(this.flush);
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

  /**
   * Something large; `taken` is called when its memory may be used again, and never if the stream fails. What the peer has said by then
   * is read before: once a write has failed, Node reads no more, and a refusal that came before a reset would be lost.
   */
  take(bytes: Uint8Array, taken: () => void): void {
    this.flush();
    this.#left += bytes.length;
    this.#out.write(this.#copies ? Buffer.from(bytes) : bytes, (error) => { if (error == null) afterPoll(taken); });
  }

  readonly flush = (): void => {
    const bytes = this.#bytes;
    if (this.#size === 0 || bytes === undefined) return;
    const joined = bytes.subarray(0, this.#withdrawn.length === 0 ? this.#size : this.#kept(bytes));
    this.#left += this.#size;
    this.#size = 0;
    if (joined.length === 0 || !this.#out.writable) return;
    if (this.#copies) this.#out.write(Buffer.from(joined));
    else {
      this.#bytes = undefined;
      this.#out.write(joined, () => { this.#bytes ??= bytes; });
    }
  };

  /** What waits here never leaves: it is taken for not sent, and a caller's own stream may take its time to be destroyed. */
  drop(): void {
    this.#size = 0;
  }

  /** Closes the gaps of what was withdrawn. How many bytes are kept. */
  #kept(bytes: Buffer): number {
    let size = 0;
    let at = 0;
    const keep = (end: number): void => {
      bytes.copyWithin(size, at, end);
      size += end - at;
    };
    for (const [from, to] of this.#withdrawn.splice(0).sort(([a], [b]) => a - b)) {
      keep(from);
      at = to;
    }
    keep(this.#size);
    return size;
  }
}
