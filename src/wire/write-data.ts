import { concat, EMPTY, NEVER, Observable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import { Command } from '../protocol/command.js';
import type { Deadline } from '../transport/clock.js';
import type { Block } from './block-reader.js';
import { takeBlock, writeBlocks } from './content-blocks.js';
import { CONTENT, type ContentEvent, type ContentOptions } from './content-event.js';
import { early } from './content-failures.js';
import { expireWith } from './exchange.js';
import { Expectation, type ReplySink } from './expectation.js';
import type { Wire } from './wire.js';

export const END_OF_CONTENT = Buffer.from('.\r\n');

/** The reply to content. One that is there before the end of the content has left is none to it. */
export const replyTo = (wire: Wire, sink: ReplySink): Expectation => {
  const due = new Expectation([CONTENT], {
    next: (reply) => {
      if (due.phase === 'body') sink.error(early(wire, CONTENT.toString(), reply));
      else sink.next(reply);
    },
    error: (error) => { sink.error(error); },
    complete: () => { sink.complete(); },
  });
  due.isOwed = false;
  return due;
};

/**
 * The point of no return: from this write on the server may have the whole mail, of so many bytes. False, and nothing is
 * written, where a reply has begun: it cannot be one to this content, and the rest of it is waited for.
 */
export const writeLast = (wire: Wire, due: Expectation, last: readonly Uint8Array[], bytes: number): boolean => {
  due.isOwed = true;
  const mayLeave = !wire.isBeingAnswered;
  if (mayLeave) {
    due.phase = 'end-of-data';
    last.forEach((piece) => { wire.write(piece); });
    wire.mustDrop = false;
  }
  wire.touch();
  if (mayLeave) wire.note([], bytes);
  return mayLeave;
};

/**
 * Writes one mail's content behind a 354 and waits for its verdict (RFC 5321 section 4.1.1.4). A block is read only when the
 * socket has taken the one before, and each has its own limit. The dot leaves only behind the last block of a source that
 * did not fail; unsubscribing, a failing source or an early refusal end the connection instead, so that no half mail is
 * accepted.
 */
export const writeData = (wire: Wire, content: OpenContent, options: ContentOptions): Observable<ContentEvent> =>
  new Observable((subscriber) => {
    const { operation, encoder } = options;
    const due = replyTo(wire, {
      next: (reply) => { subscriber.next({ type: 'verdict', reply, bytes: encoder.bytes }); },
      error: (error) => { subscriber.error(error); },
      complete: () => { subscriber.complete(); },
    });

    const writeBlock = ({ bytes, isLast }: Block): Observable<never> => {
      if (!isLast) return takeBlock(wire, bytes);
      return writeLast(wire, due, [bytes], encoder.bytes) ? EMPTY : NEVER;
    };

    subscriber.add(() => { due.sink = undefined; });
    subscriber.add(expireWith(wire, operation, () => due, (error) => { subscriber.error(error); }));
    wire.expect(due);
    if (subscriber.closed) return;
    // Only the verdict ends it.
    concat(writeBlocks(wire, content, options, writeBlock), NEVER).subscribe(subscriber);
  });

// Of a mail that is over: QUIT is a command behind it, and what the server says to it is no word on content.
const LONE_DOT = Command.of('idle', '.');

/**
 * A lone dot behind a 354, for want of content. The reply to it is read in its turn, and dropped. Completes when others may write.
 * @param isFree they may before it has come.
 */
export const writeNothing = (wire: Wire, isFree: boolean, operation: Deadline): Observable<never> =>
  new Observable((subscriber) => {
    const ended = (): void => { subscriber.complete(); };
    const due = new Expectation([LONE_DOT], isFree ? undefined : { next: () => undefined, error: ended, complete: ended });
    wire.expect(due);
    // What has come already is no reply to it.
    if (wire.failed || due.isAnswered || wire.isBeingAnswered) { ended(); return; }
    wire.mustDrop = false;
    wire.write(END_OF_CONTENT);
    wire.note([], 0);
    if (isFree) { ended(); return; }
    subscriber.add(() => { due.sink = undefined; });
    subscriber.add(expireWith(wire, operation, () => due, ended));
  });
