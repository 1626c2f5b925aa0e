import { SmtpError, type Outcome } from '../index.js';

/** A script reads from the exit code who has the mail, and so whether it may send again. */
export const EXIT_CODES: Readonly<Record<Outcome | 'usage', number>> = {
  accepted: 0,
  'not-sent': 1,
  refused: 2,
  unknown: 3,
  // EX_USAGE of sysexits.h.
  usage: 64,
};

export const exitCodeOf = (error: SmtpError): number => EXIT_CODES[error.code === 'E_USAGE' ? 'usage' : error.outcome];
