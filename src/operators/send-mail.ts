import type { OperatorFunction } from 'rxjs';
import type { BulkOptions, SmtpClient } from '../client.js';
import type { Message } from '../message/message.js';
import type { BulkEvent } from '../pool/bulk.js';

/**
 * `sendAll()` as an operator: sends every message that the source emits. A mail that fails is a `failed` event, and the stream goes on.
 *
 * ```ts
 * orders$.pipe(map(confirmation), sendMail(client, { concurrency: 10 })).subscribe(...)
 * ```
 */
export const sendMail = (client: Pick<SmtpClient, 'sendAll'>, options?: BulkOptions): OperatorFunction<Message, BulkEvent> => (messages$) => client.sendAll(messages$, options);
