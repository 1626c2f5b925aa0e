import { defer, throwError, type Observable } from 'rxjs';
import type { SmtpError } from '../protocol/error.js';
import { writeNothing } from '../wire/write-data.js';
import type { Verdict } from './judge-envelope.js';
import type { Transaction } from './transaction.js';

/**
 * The content must not be sent. Where all recipients were refused, a 354 is answered with a lone dot and that reply is
 * ignored (RFC 2920 section 3.1); any other 354 leaves only the connection to drop. The refusal is told at once. The next mail
 * may follow on this connection before that reply, where one may follow any other mail.
 */
export const giveUp = ({ session: { wire, manners, settings } }: Transaction, { goesAhead, isForNobody }: Verdict, failure: SmtpError): Observable<never> =>
  defer(() => {
    if (goesAhead && isForNobody) writeNothing(wire, manners.overlap && settings.pipelining.depth !== 1);
    return throwError(() => failure);
  });
