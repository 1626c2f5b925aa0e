import { concatMap, ignoreElements, NEVER, tap, type Observable } from 'rxjs';
import { CanonicalLines, DotStuffing, Untouched, type ContentEncoder } from '../protocol/content-encoder.js';
import { writeChunks } from '../wire/write-chunks.js';
import { writeData } from '../wire/write-data.js';
import { giveUp } from './give-up.js';
import type { Verdict } from './judge-envelope.js';
import { sendEnvelope } from './send-envelope.js';
import { conclude, tellEnvelope } from './tell.js';
import type { Transaction } from './transaction.js';

/** The envelope, in one group or command by command, and when it was accepted the content, of any size. */
export const sendInBlocks = (transaction: Transaction): Observable<never> => {
  const { claim, plan, operation } = transaction;
  return sendEnvelope(claim, plan, operation).pipe(
    concatMap((verdict) => {
      tellEnvelope(transaction, verdict);
      // Whoever is told may cancel.
      if (claim.isOver) return NEVER;
      return verdict.failure === undefined ? sendContent(transaction, verdict) : giveUp(transaction, verdict);
    }),
  );
};

// Ten times a second (ms) is as often as a person or a gauge looks. The last position is always told.
const INTERVAL = 100;

const sendContent = (transaction: Transaction, verdict: Verdict): Observable<never> => {
  const { session, claim, mail, content, plan: { size, chunks, eightBit }, operation, marks, observer } = transaction;
  const { wire } = session;
  const { scheduler } = wire.context;
  const [write, encoder]: [typeof writeData, ContentEncoder] = chunks ? [writeChunks, mail.binary === true ? new Untouched() : new CanonicalLines()] : [writeData, new DotStuffing()];
  let nextAt = -Infinity;
  return write(wire, content, { operation, encoder, eightBit, sizeLimit: session.offers.sizeLimit, isOneByOne: !session.pipelines }).pipe(
    tap((event) => {
      if (event.type === 'verdict') {
        conclude(transaction, verdict, event.reply, event.bytes);
        return;
      }
      const now = scheduler.now();
      if (now < nextAt && !event.finished) return;
      nextAt = now + INTERVAL;
      marks.contentAt = now;
      if (event.finished) claim.written(event.bytes);
      observer.next({ type: 'progress', bytesSent: event.bytes, ...(size === undefined ? {} : { bytesTotal: event.finished ? event.bytes : Math.max(size, event.bytes) }) });
      // Line ends that are mended make content longer than was said, and nothing makes it shorter.
      if (event.finished && size !== undefined && (event.bytes < size || event.taken > size)) observer.next({
        type: 'warning', code: 'W_SIZE',
        message: `The content ended after ${String(event.bytes)} bytes, where "size" says ${String(size)}: it may ${event.bytes < size ? 'be cut off' : 'hold more than it should'}. Mend its source or "size", or leave "size" out.`,
      });
    }),
    ignoreElements(),
  );
};
