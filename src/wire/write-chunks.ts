import { concat, defer, EMPTY, merge, NEVER, Observable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import { bdat, RSET, type Command } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import { isPositive } from '../protocol/reply.js';
import type { Block } from './block-reader.js';
import { takeBlock, writeBlocks } from './content-blocks.js';
import { CONTENT, type ContentEvent, type ContentOptions } from './content-event.js';
import { early, takenInPart } from './content-failures.js';
import { expireWith } from './exchange.js';
import { Expectation } from './expectation.js';
import type { Wire } from './wire.js';

/** Chunks that may be unanswered: the window that keeps a long line busy. */
const WINDOW = 8;

const READING = Object.assign(new Expectation([CONTENT]), { isOwed: false });

/**
 * Writes one mail's content as BDAT chunks and waits for their replies (RFC 3030). A chunk is read in full before its command
 * leaves, so that a failing source, a refusal or unsubscribing end between two chunks, with RSET; the connection can be used
 * on. After the last chunk nothing can be taken back.
 */
export const writeChunks = (wire: Wire, content: OpenContent, options: ContentOptions): Observable<ContentEvent> =>
  new Observable((subscriber) => {
    const { operation, encoder, isOneByOne } = options;
    const window = isOneByOne ? 1 : WINDOW;
    const due = new Set<Expectation>();
    let hasEnded = false;
    /** A chunk was refused. Its end may be on the way all the same, and then the reply to that is waited for. */
    let refused: SmtpError | undefined;
    /** What goes on when there is room in the window. */
    let resume: (() => void) | undefined;

    const expect = (command: Command, isLast: boolean): void => {
      const expectation = new Expectation([command], {
        next: (reply) => {
          due.delete(expectation);
          if (isLast && refused === undefined) subscriber.next({ type: 'verdict', reply, bytes: encoder.bytes });
          else if (isLast) subscriber.error(isPositive(reply) ? takenInPart(wire, reply, refused?.reply) : refused);
          else if (isPositive(reply)) resume?.();
          else {
            refused ??= early(wire, command.toString(), reply, hasEnded);
            if (!hasEnded) subscriber.error(refused);
          }
        },
        // Once the end has left, only the reply to it decides.
        error: (error) => { if (!hasEnded || isLast) subscriber.error(refused ?? error); },
        complete: () => { if (isLast) subscriber.complete(); },
      });
      due.add(expectation);
      wire.expect(expectation);
    };

    /** Completes when the server has answered enough of the chunks before. */
    const room$ = new Observable<never>((waiting) => {
      if (due.size < window) waiting.complete();
      else resume = () => { waiting.complete(); };
      return () => { resume = undefined; };
    });

    const writeChunk = ({ bytes, isLast }: Block): Observable<never> => concat(room$, defer(() => {
      // Nothing leaves any more, and why is told in a moment.
      if (wire.failed) return NEVER;
      hasEnded = isLast;
      const command = bdat(bytes.length, isLast);
      expect(command, isLast);
      if (subscriber.closed) return EMPTY;
      wire.say([command]);
      // Whoever reads the log may end this mail at once, and nothing is said within a chunk.
      if (!isLast) return merge(takeBlock(wire, bytes), defer(() => { wire.note([command]); return EMPTY; }));
      wire.write(bytes);
      wire.note([command], encoder.bytes);
      return EMPTY;
    }));

    subscriber.add(() => {
      for (const expectation of due) expectation.sink = undefined;
      // RFC 3030 section 2: what was begun and will not be finished is taken back.
      if (!hasEnded && wire.takesCommands) wire.ask(RSET);
    });
    subscriber.add(expireWith(wire, operation, () => [...due].at(hasEnded ? -1 : 0) ?? READING, (error) => { subscriber.error(error); }));
    // All chunks may be answered while the source takes its time.
    subscriber.add(wire.loss(CONTENT).subscribe({ error: (error: unknown) => { if (!hasEnded) subscriber.error(refused ?? error); } }));
    if (subscriber.closed) return;
    // Only the verdict ends it.
    concat(writeBlocks(wire, content, options, writeChunk), NEVER).subscribe(subscriber);
  });
