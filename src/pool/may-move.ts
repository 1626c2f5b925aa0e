import { SmtpConnectionError, SmtpError, SmtpProtocolError, SmtpTimeoutError } from '../protocol/error.js';
import { isFarewell, isTooMany, type Reply } from '../protocol/reply.js';
import type { Claim } from '../session/claim.js';
import { isOutOfTurn } from '../session/judge-envelope.js';

/** Why a mail is begun again. */
export type Move = 'the-connection-died' | 'the-session-is-full' | 'it-was-crowded-out' | 'it-was-ahead' | 'its-commands-were';

/**
 * May a mail, of which nothing was told yet, be begun again on another connection? Only where the connection is to blame
 * and the mail surely was not accepted: `the-connection-died`; `the-session-is-full`, as servers say by 421, 452, or 4yz and
 * x.5.3 to MAIL (not where x.3.1 tells of a full disk, and where a bare 452 means that, the next connection tells), or by
 * forgetting the session: to MAIL, 503 where mails went before, or 530 where the client has signed in as well;
 * `it-was-crowded-out`, by the recipients of those before; `it-was-ahead`, sent before the mail in front of it was answered,
 * which the server did not bear; or `its-commands-were`, which makes a difference also to the first mail on a connection.
 */
export const mayMove = (error: unknown, claim: Pick<Claim, 'isFirst' | 'overlaps' | 'inGroup' | 'hasServed' | 'isSignedIn' | 'isCrowdedOut'>): Move | undefined => {
  const { isFirst, overlaps, inGroup } = claim;
  if (!(error instanceof SmtpError) || error.outcome === 'unknown') return undefined;
  if (inGroup && !overlaps && isOutOfTurn(error)) return 'its-commands-were';
  if (isFirst) return undefined;
  // Some servers refuse what was sent ahead, and some throw it away.
  const wasIgnored = error instanceof SmtpTimeoutError && error.limit === 'command';
  if (overlaps && (error instanceof SmtpProtocolError || error.reply?.code === 503 || wasIgnored)) return 'it-was-ahead';
  if (error.phase === 'rcpt' && claim.isCrowdedOut) return 'it-was-crowded-out';
  if (error.phase === 'mail' && error.reply !== undefined && (isFull(error.reply) || isForgotten(error.reply, claim))) return 'the-session-is-full';
  // A server that refuses RSET may keep the transaction before. Behind the first recipient it has too much of this mail's own.
  const died = (error.reply?.code === 421 && error.phase !== 'rcpt') || (error.phase === 'reset' && error.reply !== undefined)
    || (error instanceof SmtpConnectionError && error.code === 'E_CLOSED')
    || (error instanceof SmtpTimeoutError && error.limit !== 'operation' && error.limit !== 'close');
  return died ? 'the-connection-died' : undefined;
};

const isFull = (reply: Reply): boolean => isFarewell(reply) || (reply.severity === 4 && isTooMany(reply) && reply.enhanced?.[1] !== 3);

/** RFC 5321 section 4.2.2 and RFC 4954 section 6: no word about the mail, but that EHLO or the sign-in is missing. */
const isForgotten = ({ code }: Reply, { hasServed, isSignedIn }: Pick<Claim, 'hasServed' | 'isSignedIn'>): boolean => hasServed && (code === 503 || (code === 530 && isSignedIn));
