import { filter, map, pipe, throwIfEmpty, type OperatorFunction } from 'rxjs';
import { SmtpUsageError } from '../protocol/error.js';
import type { AcceptedEvent, Receipt, SmtpEvent } from '../protocol/event.js';

/**
 * Only the receipts of a stream of events, of one `send()` or several. A stream without any fails with `SmtpUsageError`. In
 * `sendAll()` filter for `accepted` and `failed` instead, or those that failed would be dropped without a word.
 *
 * ```ts
 * const receipt = await firstValueFrom(client.send(message).pipe(receipts()));
 * ```
 */
export const receipts = (): OperatorFunction<SmtpEvent, Receipt> =>
  pipe(
    filter((event): event is AcceptedEvent => event.type === 'accepted'),
    map(({ receipt }) => receipt),
    throwIfEmpty(() => new SmtpUsageError({ message: 'The stream ended without a receipt. Give receipts() the events of send().' })),
  );
