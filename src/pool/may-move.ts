import { isSilence, SmtpConnectionError, SmtpError, SmtpProtocolError, SmtpTimeoutError } from '../protocol/error.js';
import { isFarewell, isOfTheConnection, isOfTheSystem, isTooMany, type Reply } from '../protocol/reply.js';
import { isOfAll } from '../protocol/timeouts.js';
import type { Claim } from '../session/claim.js';
import { isOutOfTurn } from '../session/judge-envelope.js';

/** Why a mail is begun again. */
export type Move =
  | 'the-connection-died'
  /**
   * As servers say by 421, 452, or 4yz and x.5.3 to MAIL (not where x.3.1 tells of a full disk, and where a bare 452 means that, the
   * next connection tells), or by forgetting the session: to MAIL, 503 where mails went before, or 530 where the client has signed in as well.
   */
  | 'the-session-is-full'
  /** The session is full of the recipients of mails before it. */
  | 'it-was-crowded-out'
  /** Sent before the mail in front of it was answered, which the server did not bear. */
  | 'it-was-ahead'
  /** The same of the commands of one mail, which makes a difference also to the first one on a connection. */
  | 'its-commands-were';

/**
 * May a mail, of which nothing was told yet, be begun again on another connection? Only where the connection is to blame
 * and the mail surely was not accepted.
 */
export const mayMove = (error: unknown, claim: Pick<Claim, 'isFirst' | 'overlaps' | 'inGroup' | 'hasServed' | 'isSignedIn' | 'isCrowdedOut'>): Move | undefined => {
  const { isFirst, overlaps, inGroup } = claim;
  if (!(error instanceof SmtpError) || error.outcome === 'unknown') return undefined;
  if (inGroup && !overlaps && isOutOfTurn(error)) return 'its-commands-were';
  if (isFirst) return undefined;
  // Some servers refuse what was sent ahead, and some throw it away. And where RSET is not known, mails that go one by one need none.
  if (overlaps && (error instanceof SmtpProtocolError || error.reply?.code === 503 || isSilence(error) || doesNotKnowReset(error))) return 'it-was-ahead';
  if (error.phase === 'rcpt' && claim.isCrowdedOut) return 'it-was-crowded-out';
  if (error.phase === 'mail' && error.reply !== undefined && (isFull(error.reply) || isForgotten(error.reply, claim))) return 'the-session-is-full';
  return hasDied(error) ? 'the-connection-died' : undefined;
};

/** RFC 5321 section 4.2.4. */
const doesNotKnowReset = ({ phase, reply }: SmtpError): boolean => phase === 'reset' && (reply?.code === 500 || reply?.code === 502);

/** It can be used no further. */
const hasDied = (error: SmtpError): boolean => {
  if (error instanceof SmtpConnectionError) return error.code === 'E_CLOSED';
  if (error instanceof SmtpTimeoutError) return !isOfAll(error.limit);
  const { phase, reply } = error;
  if (reply === undefined) return false;
  switch (phase) {
    // The server may keep the transaction before.
    case 'reset': return true;
    case 'mail': return isFarewell(reply) || isOfTheConnection(reply);
    // It may be about this mail's own recipients.
    case 'rcpt': return false;
    default: return isFarewell(reply);
  }
};

const isFull = (reply: Reply): boolean => !isOfTheConnection(reply) && (isFarewell(reply) || (reply.severity === 4 && isTooMany(reply) && !isOfTheSystem(reply)));

/** RFC 5321 section 4.2.2 and RFC 4954 section 6: no word about the mail, but that EHLO or the sign-in is missing. */
const isForgotten = ({ code }: Reply, { hasServed, isSignedIn }: Pick<Claim, 'hasServed' | 'isSignedIn'>): boolean => hasServed && (code === 503 || (code === 530 && isSignedIn));
