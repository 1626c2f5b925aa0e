import type { SecurityMode } from '../protocol/connection-plan.js';
import { SmtpConnectionError, SmtpProtocolError, SmtpTimeoutError, type SmtpError } from '../protocol/error.js';

/**
 * Does this error mean "wrong door"? An allowlist: what is not on it ends the run, above all a bad certificate, injected
 * bytes and refused credentials. Once STARTTLS was answered TLS was met, and going on would mean to step down.
 */
export const mayFallBack = (error: SmtpError, security: SecurityMode): boolean => {
  const { phase } = error;
  const implicitHandshake = security === 'implicit' && phase === 'tls';
  if (error instanceof SmtpConnectionError) {
    if (error.code === 'E_CONNECT') return error.reason !== 'EADDRNOTAVAIL';
    // The proxy stands, and this door does not open to it; the next one may.
    if (error.code === 'E_PROXY') return error.reason === 'unreachable' || error.reason === 'denied' || error.reason === 'closed';
    if (error.code === 'E_CLOSED') return phase === 'greeting';
    return error.code === 'E_TLS' && implicitHandshake && (error.reason === 'plaintext-peer' || error.reason === 'reset');
  }
  if (error instanceof SmtpTimeoutError) return error.limit !== 'operation' && (phase === 'connect' || phase === 'greeting' || error.limit === 'proxy' || implicitHandshake);
  if (!(error instanceof SmtpProtocolError) || error.code !== 'E_PROTOCOL') return false;
  const startTlsIsMissing = phase === 'starttls' && error.reply === undefined;
  return phase === 'greeting' || startTlsIsMissing;
};
