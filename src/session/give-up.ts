import { concat, Observable, throwError } from 'rxjs';
import type { SmtpError } from '../protocol/error.js';
import { writeWhole } from '../wire/write-data.js';
import type { Verdict } from './judge-envelope.js';
import type { Transaction } from './transaction.js';

/**
 * The content must not be sent. Where all recipients were refused, a 354 is answered with a lone dot and that reply is
 * ignored (RFC 2920 section 3.1); any other 354 leaves only the connection to drop.
 */
export const giveUp = ({ session: { wire }, operation }: Transaction, { goesAhead, isForNobody }: Verdict, failure: SmtpError): Observable<never> => {
  const failure$ = throwError(() => failure);
  if (!goesAhead || !isForNobody) return failure$;
  const loneDot$ = new Observable<never>((subscriber) => {
    const ended = (): void => { subscriber.complete(); };
    return writeWhole(wire, NOTHING, 0, operation, { next: ended, error: ended, complete: ended });
  });
  return concat(loneDot$, failure$);
};

const NOTHING = Buffer.alloc(0);
