import type { Capabilities } from '../protocol/capabilities.js';
import { SmtpProtocolError, type SmtpError } from '../protocol/error.js';
import type { LogLine } from '../protocol/log-line.js';
import type { Reply } from '../protocol/reply.js';
import { unlessCrossedOut } from './crossed-out.js';

// A broken answer to STARTTLS has the same code and phase, but TLS was met there.
const missing = new WeakSet<SmtpError>();

const OTHER_WAYS = 'Use its port for implicit TLS (465), or security: "none" if clear text is acceptable.';

/** What to do about a server that does not know EHLO, where STARTTLS is needed. */
export const withoutEhlo = ({ lines }: Reply): string => unlessCrossedOut(lines.join(' ').split(/\W+/), `It does not know EHLO, and so has no STARTTLS. ${OTHER_WAYS}`);

/** STARTTLS is not offered, so that it was not asked for. */
export const startTlsMissing = (peer: string, capabilities: Capabilities, transcript: readonly LogLine[]): SmtpProtocolError => {
  const error = new SmtpProtocolError('E_PROTOCOL', {
    phase: 'starttls', transcript,
    message: `${peer} does not offer STARTTLS. ${unlessCrossedOut(capabilities.keywords, OTHER_WAYS)}`,
  });
  missing.add(error);
  return error;
};

export const isStartTlsMissing = (error: SmtpError): boolean => missing.has(error);
