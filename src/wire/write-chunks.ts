import { Observable, type Subscription } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import { bdat, RSET } from '../protocol/command.js';
import { isPositive } from '../protocol/reply.js';
import { deadline, timeoutError } from '../transport/clock.js';
import { early, EIGHT_BIT, sourceFailed, type ContentEvent, type ContentOptions } from './content-event.js';
import { expireWith } from './exchange.js';
import { Expectation } from './expectation.js';
import type { Wire } from './wire.js';

// Large enough that its command does not count, small enough that a few of them are.
const CHUNK = 256 * 1024;
/** Chunks that may be unanswered: the window that keeps a long line busy. */
const WINDOW = 8;

const READING = { phase: 'body' as const, command: 'the content' };

type Chunks = AsyncIterator<Uint8Array | string>;

/**
 * Writes one mail's content as BDAT chunks and waits for their replies (RFC 3030). A pull loop: a chunk is read in full
 * before its command leaves, so that a failing source, a refusal or unsubscribing end between two chunks, with RSET; the
 * connection can be used on. After the last chunk nothing can be taken back.
 */
export const writeChunks = (wire: Wire, content: OpenContent, { operation, encoder, eightBit }: ContentOptions): Observable<ContentEvent> =>
  new Observable((subscriber) => {
    const { timeouts, scheduler } = wire.context;
    const due = new Set<Expectation>();
    const pieces: Buffer[] = [];
    let size = 0;
    let hasEnded = false;
    let draining: Subscription | undefined;
    let watching: Subscription | undefined;
    /** What goes on when there is room in the window. */
    let resume: (() => void) | undefined;

    const expect = (isLast: boolean): void => {
      const command = bdat(size, isLast);
      const expectation = new Expectation([command], {
        next: (reply) => {
          due.delete(expectation);
          if (isLast) subscriber.next({ type: 'verdict', reply, bytes: encoder.bytes });
          else if (isPositive(reply)) {
            const next = resume;
            resume = undefined;
            next?.();
          } else subscriber.error(early(wire, command.toString(), reply));
        },
        // Once the end has left, only the reply to it decides.
        error: (error) => { if (!hasEnded || isLast) subscriber.error(error); },
        complete: () => { if (isLast) subscriber.complete(); },
      });
      due.add(expectation);
      wire.expect(expectation);
      if (!subscriber.closed) wire.say([command]);
    };

    /** Writes what was gathered as one chunk. True: the socket takes more. */
    const writeChunk = (isLast: boolean): boolean => {
      hasEnded = isLast;
      expect(isLast);
      const taken = subscriber.closed || wire.write(pieces.length === 1 ? pieces[0] ?? Buffer.alloc(0) : Buffer.concat(pieces));
      pieces.length = size = 0;
      return taken;
    };

    const goOn = (taken: boolean, next: () => void): void => {
      const report = (): void => {
        subscriber.next({ type: 'written', bytes: encoder.bytes, finished: false });
        if (subscriber.closed) return;
        if (due.size < WINDOW) next();
        else resume = next;
      };
      if (subscriber.closed) return;
      if (taken) report();
      else draining = wire.stream.drained.subscribe({ next: report, error: fail });
    };

    const finish = (): void => {
      gather(encoder.end());
      if (!isTransferable()) return;
      writeChunk(true);
      if (subscriber.closed) return;
      wire.noteContent(encoder.bytes);
      subscriber.next({ type: 'written', bytes: encoder.bytes, finished: true });
    };

    const gather = (bytes: Buffer): void => {
      if (bytes.length > 0) pieces.push(bytes);
      size += bytes.length;
    };

    const isTransferable = (): boolean => {
      if (eightBit || !encoder.eightBit) return true;
      fail(EIGHT_BIT);
      return false;
    };

    const fail = (cause: unknown): void => { subscriber.error(sourceFailed(wire, encoder.bytes, cause)); };

    /** A source that gives nothing for too long; while a reply is due, the wire watches as well. */
    const watchSource = (): void => {
      if (timeouts.dataBlock === Infinity) return;
      const end = deadline(scheduler, 'dataBlock', timeouts.dataBlock);
      watching = scheduler.schedule(() => { subscriber.error(timeoutError(scheduler, end, 'body', "Reading the message's own content", wire.transcript())); }, timeouts.dataBlock);
    };

    const pull = (chunks: Chunks): void => {
      watchSource();
      chunks.next().then(({ done, value }) => {
        watching?.unsubscribe();
        if (subscriber.closed) return;
        if (done === true) { finish(); return; }
        gather(encoder.encode(typeof value === 'string' ? Buffer.from(value, 'utf8') : value));
        if (!isTransferable()) return;
        if (size < CHUNK) pull(chunks);
        else goOn(writeChunk(false), () => { pull(chunks); });
      }).catch((error: unknown) => { if (!subscriber.closed) fail(error); });
    };

    const writeBytes = (bytes: Buffer, at = 0): void => {
      gather(encoder.encode(bytes.subarray(at, at + CHUNK)));
      if (!isTransferable()) return;
      if (bytes.length - at <= CHUNK) finish();
      else goOn(writeChunk(false), () => { writeBytes(bytes, at + CHUNK); });
    };

    subscriber.add(() => {
      draining?.unsubscribe();
      watching?.unsubscribe();
      resume = undefined;
      for (const expectation of due) expectation.sink = undefined;
      content.dispose();
      // RFC 3030 section 2: what was begun and will not be finished is taken back.
      if (!hasEnded && !wire.failed) {
        wire.expect(new Expectation([RSET], undefined));
        wire.say([RSET]);
      }
    });
    subscriber.add(expireWith(wire, operation, () => [...due].at(hasEnded ? -1 : 0) ?? READING, (error) => { subscriber.error(error); }));
    if (subscriber.closed) return;
    if (content.kind === 'bytes') writeBytes(content.bytes);
    else pull(content.chunks);
  });
