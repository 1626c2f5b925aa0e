import { concat, throwError, type Observable } from 'rxjs';
import { writeNothing } from '../wire/write-data.js';
import type { Verdict } from './judge-envelope.js';
import type { Transaction } from './transaction.js';

/**
 * The content must not be sent. Where all recipients were refused, a 354 is answered with a lone dot and that reply is
 * ignored (RFC 2920 section 3.1); any other 354 leaves only the connection to drop. Where the next mail may follow before that
 * reply, as it may follow any other mail, the refusal is told at once.
 */
export const giveUp = ({ session: { wire, depth }, operation }: Transaction, { goesAhead, isForNobody, failure }: Verdict): Observable<never> => {
  const failure$ = throwError(() => failure);
  if (!goesAhead || !isForNobody) return failure$;
  return concat(writeNothing(wire, depth > 1, operation), failure$);
};
