import { SmtpError, type Outcome } from '../index.js';

/** A script reads from the exit code who has the mail, and so whether it may send again. */
export const EXIT_CODES: Readonly<Record<Outcome | 'usage' | 'fault', number>> = {
  accepted: 0,
  'not-sent': 1,
  refused: 2,
  unknown: 3,
  // EX_USAGE of sysexits.h.
  usage: 64,
  // EX_SOFTWARE.
  fault: 70,
};

/** A mail that only some have is no success, and must not be sent again as it is. */
export const exitCodeOf = ({ code, outcome }: SmtpError): number => EXIT_CODES[code === 'E_USAGE' ? 'usage' : code === 'E_PARTIAL' ? 'unknown' : outcome];
