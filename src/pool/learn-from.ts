import { SmtpConnectionError, SmtpReplyError, SmtpTimeoutError } from '../protocol/error.js';
import type { Claim } from '../session/claim.js';
import type { Move } from './may-move.js';

/**
 * What the failure of a mail says of its connection, and of all others to that server.
 * @param moving why the mail is begun again, if it is.
 * @param isOneTooMany the connection, for its server.
 */
export const learnFrom = (error: unknown, claim: Claim, moving: Move | undefined, isOneTooMany: boolean): void => {
  const { session } = claim;
  const { bearing } = session.manners;
  if (moving === 'it-was-ahead') bearing.refusedAhead();
  else if (claim.overlaps) bearing.failedAhead(error);
  else if (claim.inGroup) bearing.failedInGroup(error);
  else bearing.failedOneByOne(error);
  const hasHungUp = hasHungUpOnMany(error, claim);
  if (moving === 'the-session-is-full' || hasHungUp) session.turnedAway(claim, hasHungUp);
  if (isOneTooMany || moving === 'the-connection-died' || claim.isCrowdedOut || isBetterElsewhere(error, claim)) session.isClosing = true;
};

/** The first command of a mail got no answer, whatever limit ran out. */
export const gotNoFirstReply = (error: unknown): error is SmtpTimeoutError => error instanceof SmtpTimeoutError && (error.phase === 'mail' || error.phase === 'reset');

/** Some servers say no word before they close a session that had its number of mails, and what was sent ahead is in doubt. */
const hasHungUpOnMany = (error: unknown, { overlaps }: Claim): boolean =>
  error instanceof SmtpConnectionError && error.code === 'E_CLOSED' && (overlaps || error.outcome === 'unknown');

/**
 * The next mail is better off elsewhere: the server does not answer in time, or fails (451) where mails went before. Some say so
 * of a connection that had too many.
 */
const isBetterElsewhere = (error: unknown, claim: Claim): boolean =>
  (error instanceof SmtpTimeoutError && error.limit === 'operation') || (!claim.isFirst && error instanceof SmtpReplyError && error.phase === 'mail' && error.reply.code === 451);
