import { Observable, type Subscription } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import { Command } from '../protocol/command.js';
import { early, EIGHT_BIT, sourceFailed, type ContentEvent, type ContentOptions } from './content-event.js';
import { expireWith } from './exchange.js';
import { Expectation } from './expectation.js';
import type { Wire } from './wire.js';

const END_OF_DATA = Command.of('body', 'the content');
const BLOCK = 64 * 1024;

/**
 * Writes one mail's content behind a 354 and waits for its verdict (RFC 5321 section 4.1.1.4). A pull loop: a block is
 * read only when the socket has taken the one before. The dot leaves only behind the last block of a source that did not
 * fail; unsubscribing, a failing source or an early refusal end the connection instead, so that no half mail is accepted.
 */
export const writeData = (wire: Wire, content: OpenContent, { operation, encoder, eightBit }: ContentOptions): Observable<ContentEvent> =>
  new Observable((subscriber) => {
    let draining: Subscription | undefined;
    const due = new Expectation([END_OF_DATA], {
      next: (reply) => {
        if (due.phase === 'body') subscriber.error(early(wire, END_OF_DATA.toString(), reply));
        else subscriber.next({ type: 'verdict', reply, bytes: encoder.bytes });
      },
      error: (error) => { subscriber.error(error); },
      complete: () => { subscriber.complete(); },
    });

    const fail = (cause: unknown): void => { subscriber.error(sourceFailed(wire, encoder.bytes, cause)); };

    /** Continues when the socket has taken what was written, each block within its own limit. */
    const whenTaken = (taken: boolean, next: () => void): void => {
      if (taken) next();
      else draining = wire.stream.drained.subscribe({ next, error: fail });
    };

    const isTransferable = (): boolean => {
      if (eightBit || !encoder.eightBit) return true;
      fail(EIGHT_BIT);
      return false;
    };

    const writeBlock = (chunk: Uint8Array, next: () => void): void => {
      const encoded = encoder.encode(chunk);
      if (!isTransferable()) return;
      whenTaken(wire.write(encoded), () => {
        wire.touch();
        subscriber.next({ type: 'written', bytes: encoder.bytes, finished: false });
        if (!subscriber.closed) next();
      });
    };

    const finish = (last?: Uint8Array): void => {
      const tail = last === undefined ? [encoder.end()] : [encoder.encode(last), encoder.end()];
      if (!isTransferable()) return;
      // The point of no return: from this write on the server may have the whole mail.
      due.enter('end-of-data');
      wire.write(tail.length === 1 ? tail[0] ?? Buffer.alloc(0) : Buffer.concat(tail));
      wire.noteContent(encoder.bytes);
      wire.touch();
      wire.mustDrop = false;
      subscriber.next({ type: 'written', bytes: encoder.bytes, finished: true });
    };

    const writeBytes = (bytes: Buffer, at = 0): void => {
      if (bytes.length - at <= BLOCK) finish(bytes.subarray(at));
      else writeBlock(bytes.subarray(at, at + BLOCK), () => { writeBytes(bytes, at + BLOCK); });
    };

    const pull = (chunks: AsyncIterator<Uint8Array | string>): void => {
      chunks.next().then(({ done, value }) => {
        if (subscriber.closed) return;
        if (done === true) finish();
        else writeBlock(typeof value === 'string' ? Buffer.from(value, 'utf8') : value, () => { pull(chunks); });
      }).catch((error: unknown) => { if (!subscriber.closed) fail(error); });
    };

    wire.mustDrop = true;
    subscriber.add(() => {
      draining?.unsubscribe();
      due.sink = undefined;
      content.dispose();
    });
    subscriber.add(expireWith(wire, operation, () => due, (error) => { subscriber.error(error); }));
    wire.expect(due);
    if (subscriber.closed) return;
    if (content.kind === 'bytes') writeBytes(content.bytes);
    else pull(content.chunks);
  });
