import type { Capabilities } from '../protocol/capabilities.js';
import { SmtpProtocolError, type SmtpError } from '../protocol/error.js';
import type { LogLine } from '../protocol/log-line.js';
import { unlessCrossedOut } from './crossed-out.js';

// A broken answer to STARTTLS has the same code and phase, but TLS was met there.
const missing = new WeakSet<SmtpError>();

/** STARTTLS is not offered, so that it was not asked for. */
export const startTlsMissing = (peer: string, capabilities: Capabilities, transcript: readonly LogLine[]): SmtpProtocolError => {
  const error = new SmtpProtocolError('E_PROTOCOL', {
    phase: 'starttls', transcript,
    message: `${peer} does not offer STARTTLS. ${unlessCrossedOut(capabilities, 'Use its port for implicit TLS (465), or security: "none" if clear text is acceptable.')}`,
  });
  missing.add(error);
  return error;
};

export const isStartTlsMissing = (error: SmtpError): boolean => missing.has(error);
