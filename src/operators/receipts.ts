import { defer, filter, map, tap, throwIfEmpty, type OperatorFunction } from 'rxjs';
import { IN_DOUBT, outcomeOf, SmtpConnectionError, SmtpUsageError, type SmtpError } from '../protocol/error.js';
import type { AcceptedEvent, Receipt, SmtpEvent } from '../protocol/event.js';

/**
 * Emits only the receipts of a stream of events, of one `send()` or several. Refused recipients are in `refused` of the receipt
 * or the error. If the stream completes without a receipt, it was cut off, by `takeUntil()` say: then it fails with `E_CLOSED`, and `outcome` is
 * `unknown` from `ready` on, `not-sent` before. Do not use it on `sendAll()`, where failed mails would be dropped silently:
 * filter for `accepted` and `failed` instead.
 *
 * ```ts
 * const receipt = await firstValueFrom(client.send(message).pipe(receipts()));
 * ```
 */
export const receipts = (): OperatorFunction<SmtpEvent, Receipt> => (events$) =>
  defer(() => {
    const seen = new Set<string>();
    return events$.pipe(
      tap(({ type }) => { seen.add(type); }),
      filter((event): event is AcceptedEvent => event.type === 'accepted'),
      map(({ receipt }) => receipt),
      throwIfEmpty(() => withoutVerdict(seen)),
    );
  });

const CONNECTING: ReadonlySet<string> = new Set<SmtpEvent['type']>(['attempt-started', 'attempt-failed', 'connected', 'greeted', 'introduced', 'secured', 'authenticated', 'warning']);

const withoutVerdict = (seen: ReadonlySet<string>): SmtpError => {
  if (seen.has('failed')) return new SmtpUsageError({ message: 'The stream ended without a receipt. Give receipts() the events of send().' });
  // What leaves at once with its envelope has left when `ready` is told.
  const phase = [...seen].every((type) => CONNECTING.has(type)) ? 'connect' : 'end-of-data';
  const outcome = outcomeOf(phase);
  return new SmtpConnectionError('E_CLOSED', {
    phase, reason: 'cancelled',
    message: `The stream of events was cut off before the server's verdict. ${outcome === 'unknown' ? `${IN_DOUBT} Look for its Message-ID first, and cut off only what is not "ready" yet.` : 'The mail was not sent; send it again if it is still wanted.'}`,
  });
};
