import { SmtpUsageError } from '../protocol/error.js';
import { atOnce, type SaslMechanism } from './mechanism.js';

// RFC 4505 section 2, token = 1*255TCHAR.
const isTrace = (text: string): boolean => /^[^\p{Cc}\p{Cs}]{0,255}$/u.test(text);

/**
 * ANONYMOUS (RFC 4505). `trace` is for the server's operator: an email address or any word.
 *
 * ```ts
 * new SmtpClient({ host: 'mail.example.com', auth: anonymous('ann@example.com') });
 * ```
 */
export const anonymous = (trace = ''): SaslMechanism => {
  if (!isTrace(trace)) throw new SmtpUsageError({ message: 'The trace of anonymous() must have at most 255 characters and no control among them. Shorten it, or leave it out.' });
  return atOnce('ANONYMOUS', true, () => Buffer.from(trace, 'utf8'));
};
