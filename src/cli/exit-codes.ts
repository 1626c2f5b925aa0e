import { SmtpPartialError, type Outcome, type SmtpError } from '../index.js';

/** A script reads from the exit code who has the mail, and so whether it may send again. */
export const EXIT_CODES: Readonly<Record<Outcome | 'partly' | 'usage' | 'fault', number>> = {
  accepted: 0,
  'not-sent': 1,
  refused: 2,
  unknown: 3,
  // Some have it and others do not: no success, and not to be sent again as it is.
  partly: 4,
  // EX_USAGE of sysexits.h.
  usage: 64,
  // EX_SOFTWARE.
  fault: 70,
};

export const exitCodeOf = (error: SmtpError): number => {
  if (error instanceof SmtpPartialError) return EXIT_CODES[error.inDoubt.length > 0 ? 'unknown' : 'partly'];
  return EXIT_CODES[error.code === 'E_USAGE' ? 'usage' : error.outcome];
};
