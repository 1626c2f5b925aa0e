import { Observable, type SchedulerLike, type Subscription } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import { roomFor, type ContentEncoder } from '../protocol/content-encoder.js';
import { remaining } from '../transport/clock.js';
import { EIGHT_BIT } from './content-failures.js';

/** A part of the content, fit for the wire. Its memory is used again for the next one. */
export interface Block {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/** The first block, because most mails are small, and what leaves of the last one before it is known to be taken. */
export const FIRST_BLOCK = 16 * 1024;
// The next are as large as what leaves in so long (ms): on a slow line there is progress, on a fast one their cost does not count.
const PACE = 100;
const LEAST = 64 * 1024;
const MOST = 2 * 1024 * 1024;
// A block may be so many times as large as the one before. Memory for the largest would be a burden to each mail that has a second block.
const GROWTH = 16;
/** Bytes a millisecond, of a block that is three quarters full at the least: a line that keeps taking less than 1 KiB/s is given up. */
const SLOWEST = 1.024 * 4 / 3;
/** A source that is always ready keeps all others waiting no longer than this (ms). */
const TURN = 10;
/** What a slow source gave is held back until so long (ms) after it was asked for, and goes out with what comes until then. */
const LINGER = 100;

/** Reads content chunk by chunk and gives it block by block, all in the same memory. */
export class BlockReader {
  /** Bytes of its source so far. */
  taken: number;
  readonly #chunks: AsyncIterator<Uint8Array | string> | undefined;
  readonly #encoder: ContentEncoder;
  readonly #eightBit: boolean;
  readonly #scheduler: SchedulerLike;
  /** For each block (ms). */
  readonly #limit: number;
  #memory: Buffer;
  /** As much of it as the next block may take. */
  #most: number;
  /** When the last block was given, on the scheduler's clock, and its bytes. */
  #given: { readonly at: number; readonly size: number } | undefined;
  /** Read, and in no block yet. */
  #rest: Uint8Array;
  #hasEnded: boolean;
  #isReading = false;
  /** When a timer rings, unless it is kept waiting. */
  #turnAt: number | undefined;
  #turn: Subscription | undefined;
  #turnOfOthers: Subscription | undefined;
  #failure: { readonly cause: unknown } | undefined;
  /** Is told when the source has spoken. */
  #changed: () => void = ignore;

  constructor(content: OpenContent, encoder: ContentEncoder, eightBit: boolean, scheduler: SchedulerLike, limit: number) {
    const isAtHand = content.kind === 'bytes';
    this.#encoder = encoder;
    this.#eightBit = eightBit;
    this.#scheduler = scheduler;
    this.#limit = limit;
    this.#chunks = isAtHand ? undefined : content.chunks;
    this.#rest = isAtHand ? content.bytes : NOTHING;
    this.taken = this.#rest.length;
    this.#hasEnded = isAtHand;
    this.#most = isAtHand ? roomFor(Math.min(content.bytes.length, FIRST_BLOCK)) : FIRST_BLOCK;
    this.#memory = Buffer.allocUnsafe(this.#most);
  }

  /** One block: as full as can be, unless its source takes its time. */
  next(): Observable<Block> {
    return new Observable((subscriber) => {
      // A source that has given something must not run into the limit for giving nothing.
      const until = this.#scheduler.now() + Math.min(LINGER, this.#limit / 2);
      let lingering: Subscription | undefined;
      let size = 0;
      this.#keepPace();

      const give = (isLast: boolean): void => {
        const bytes = this.#memory.subarray(0, size);
        this.#given = { at: this.#scheduler.now(), size };
        subscriber.next({ bytes, isLast });
        subscriber.complete();
      };

      /** Takes in what was read. False: it was more than a block holds. */
      const encode = (): boolean => {
        while (this.#rest.length > 0) {
          const room = this.#room(size);
          if (room === 0) return false;
          size = this.#encoder.encode(this.#rest.subarray(0, room), this.#memory, size);
          this.#rest = this.#rest.subarray(room);
        }
        return true;
      };

      const fill = (): void => {
        const fits = encode();
        if (this.#failure !== undefined) subscriber.error(this.#failure.cause);
        else if (this.#encoder.eightBit && !this.#eightBit) subscriber.error(EIGHT_BIT);
        else if (fits && this.#hasEnded) {
          size = this.#encoder.end(this.#memory, size);
          give(true);
        } else if (this.#room(size) === 0) give(false);
        else {
          this.#read();
          if (size > 0) lingering ??= this.#scheduler.schedule(() => { give(false); }, remaining(this.#scheduler, until));
        }
      };

      this.#changed = fill;
      fill();
      return () => {
        // The next block may have been asked for by now.
        if (this.#changed === fill) this.#changed = ignore;
        lingering?.unsubscribe();
      };
    });
  }

  /** Nobody asks for another block. */
  stop(): void {
    this.#turn?.unsubscribe();
    this.#turnOfOthers?.unsubscribe();
  }

  /** Asked for the next block, the one before has left: how long that took tells how large the next one should be. */
  #keepPace(): void {
    if (this.#given === undefined) return;
    const { at, size } = this.#given;
    const elapsed = this.#scheduler.now() - at;
    const pace = size * PACE / Math.max(1, elapsed);
    // Blocks that each take nearly their limit would hold a mail for a day.
    const least = elapsed > this.#limit / 4 ? Math.max(LEAST, SLOWEST * this.#limit) : LEAST;
    // Where the source was slow, the line might take more than there was.
    const larger = Math.min(GROWTH * this.#memory.length, MOST);
    this.#most = Math.min(Math.max(pace, size < this.#most / 2 ? this.#most : least), larger);
    if (this.#most > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(larger);
  }

  /** So much may be encoded behind `size` bytes of a block; nothing when it is as good as full. */
  #room(size: number): number {
    const room = (this.#most - size - roomFor(0)) >> 1;
    return room < this.#most >> 3 ? 0 : room;
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#chunks?.next().then(this.#arrived, this.#failed);
  }

  readonly #arrived = ({ done, value }: IteratorResult<Uint8Array | string, unknown>): void => {
    this.#isReading = false;
    if (done === true) this.#hasEnded = true;
    else {
      this.#rest = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
      this.taken += this.#rest.length;
    }
    const now = this.#scheduler.now();
    if (this.#turnAt === undefined) {
      this.#turnAt = now + TURN;
      this.#turn = this.#scheduler.schedule(() => { this.#turnAt = undefined; }, TURN);
    }
    if (now < this.#turnAt) this.#changed();
    // That timer is kept waiting, and all others with it. It is due, so that it would ring before sockets have their turn; a new one rings behind them.
    else this.#turnOfOthers = this.#scheduler.schedule(() => { this.#changed(); });
  };

  readonly #failed = (cause: unknown): void => {
    this.#failure = { cause };
    this.#changed();
  };
}

const NOTHING = Buffer.alloc(0);
const ignore = (): void => undefined;
