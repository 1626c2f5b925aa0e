import { SmtpConnectionError, SmtpError, SmtpProtocolError, SmtpTimeoutError } from '../protocol/error.js';

/**
 * May a mail, of which nothing was told yet, be begun again on another connection? Only where the connection is to blame
 * and the mail surely was not accepted: `the-connection-died`; `the-session-is-full`, as the server says by 4yz and x.5.3 to
 * MAIL; or `it-was-ahead`, sent before the mail in front of it was answered, which the server did not bear.
 */
export const mayMove = (error: unknown, overlaps: boolean): 'the-connection-died' | 'the-session-is-full' | 'it-was-ahead' | undefined => {
  if (!(error instanceof SmtpError) || error.outcome === 'unknown') return undefined;
  if (overlaps && (error instanceof SmtpProtocolError || error.reply?.code === 503)) return 'it-was-ahead';
  if (error.phase === 'mail' && error.reply?.severity === 4 && error.reply.enhanced?.[1] === 5 && error.reply.enhanced[2] === 3) return 'the-session-is-full';
  const died = error.reply?.code === 421
    || (error instanceof SmtpConnectionError && error.code === 'E_CLOSED')
    || (error instanceof SmtpTimeoutError && error.limit !== 'operation' && error.limit !== 'close');
  return died ? 'the-connection-died' : undefined;
};
