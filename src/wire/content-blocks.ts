import { catchError, concat, concatMap, defer, EMPTY, expand, finalize, of, tap, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import { before, deadline } from '../transport/clock.js';
import { BlockReader, FIRST_BLOCK, type Block } from './block-reader.js';
import type { ContentOptions, Written } from './content-event.js';
import { sourceFailed, tooLarge } from './content-failures.js';
import type { Wire } from './wire.js';

/**
 * Writes content block by block: one is read when the one before was written. A source that gives nothing for
 * `timeouts.dataBlock` is a timeout; one that fails, or holds what the server does not take, fails the content. Of one that is
 * larger than the server takes, the block that goes beyond that is not written.
 */
export const writeBlocks = (wire: Wire, content: OpenContent, { encoder, eightBit, sizeLimit = Infinity }: ContentOptions, write: (block: Block) => Observable<never>): Observable<Written> => {
  const { scheduler, timeouts } = wire.context;
  const reader = new BlockReader(content, encoder, eightBit, scheduler, timeouts.dataBlock);
  const next$ = defer(() => reader.next().pipe(
    catchError((cause: unknown) => throwError(() => sourceFailed(wire, encoder.bytes, cause))),
    inTime(wire, "Reading the message's own content", 'Mend its source, or raise that limit.'),
    tap(({ isLast }) => { if (encoder.bytes > sizeLimit) throw tooLarge(wire, 'body', sizeLimit, encoder.bytes, isLast); }),
    concatMap((block) => concat(inParts(block, write), of({ type: 'written' as const, bytes: encoder.bytes, taken: reader.taken, finished: block.isLast }))),
  ));
  return next$.pipe(expand(({ finished }) => (finished ? EMPTY : next$), 1), finalize(() => { reader.stop(); }));
};

/** Behind the end of the content its outcome is in doubt: that leaves by itself, when the socket has taken what is in front of it. */
const inParts = (block: Block, write: (part: Block) => Observable<never>): Observable<never> => {
  const { bytes, isLast } = block;
  const end = bytes.length - FIRST_BLOCK;
  return isLast && end > 0 ? concat(write({ bytes: bytes.subarray(0, end), isLast: false }), defer(() => write({ bytes: bytes.subarray(end), isLast }))) : write(block);
};

/**
 * Writes a block. Completes when it has been taken, so that its memory may be used again. A server that has not taken all of it
 * within `timeouts.dataBlock` is given up.
 */
export const takeBlock = (wire: Wire, bytes: Uint8Array): Observable<never> =>
  wire.stream.take(bytes).pipe(
    inTime(wire, `Waiting for ${wire.context.peer} to take the content`),
    tap({ error: () => { wire.mustDrop = true; } }),
  );

/** Fails unless a block is read, or taken, within `timeouts.dataBlock` from now. */
const inTime = <T>(wire: Wire, what: string, hint?: string): MonoTypeOperatorFunction<T> => {
  const { scheduler, timeouts } = wire.context;
  return before(scheduler, deadline(scheduler, 'dataBlock', timeouts.dataBlock), 'body', what, () => wire.transcript(), hint);
};
