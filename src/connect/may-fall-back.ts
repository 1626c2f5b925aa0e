import type { SecurityMode } from '../protocol/connection-plan.js';
import { SmtpConnectionError, SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type Phase, type SmtpError } from '../protocol/error.js';
import { isUnknownCommand } from '../protocol/reply.js';
import { isStartTlsMissing } from '../session/starttls-missing.js';
import { NO_TLS } from '../transport/tls-error.js';

/** The reason of a candidate that was not tried, or given up: clear text, where TLS can be had. */
export const TLS_WAS_MET = 'tls-was-met';

// These are about the door. What is wrong with this machine, an address that is not ours say, is wrong with every door.
const NOT_REACHED = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'EACCES', 'EPERM']);

// A proxy that speaks of what it was asked for. One that cannot be reached, or wants other credentials, is the only way to every door.
const NOT_LET_THROUGH = new Set(['denied', 'unreachable', 'closed']);

/**
 * Does this error mean "wrong door"? An allowlist: what is not on it ends the run, above all a bad certificate, injected
 * bytes and refused credentials. Once STARTTLS was answered TLS was met, and going on would mean to step down. A greeting that
 * refuses (421, 554) is the answer of the right door: its words are the result, and no other way in is looked for.
 */
export const mayFallBack = (error: SmtpError, security: SecurityMode): boolean => {
  const { phase } = error;
  if (error instanceof SmtpConnectionError) return connectionMayFallBack(error, security);
  if (error instanceof SmtpTimeoutError) return timeoutMayFallBack(error, security);
  if (error instanceof SmtpReplyError) return security === 'starttls' && phase === 'hello' && isUnknownCommand(error.reply);
  return isStartTlsMissing(error) || (error instanceof SmtpProtocolError && error.code === 'E_PROTOCOL' && phase === 'greeting');
};

const connectionMayFallBack = ({ code, phase, reason }: SmtpConnectionError, security: SecurityMode): boolean => {
  switch (code) {
    case 'E_CONNECT': return NOT_REACHED.has(reason);
    case 'E_PROXY': return NOT_LET_THROUGH.has(reason);
    case 'E_CLOSED': return phase === 'greeting';
    case 'E_TLS': return reason === TLS_WAS_MET || (isImplicitHandshake(phase, security) && NO_TLS.has(reason));
    default: return false;
  }
};

const timeoutMayFallBack = ({ limit, phase }: SmtpTimeoutError, security: SecurityMode): boolean => {
  if (limit === 'operation') return false;
  // A proxy that was reached and then says nothing waits for the door behind it.
  if (phase === 'proxy') return limit === 'proxy';
  return phase === 'connect' || phase === 'greeting' || isImplicitHandshake(phase, security);
};

const isImplicitHandshake = (phase: Phase, security: SecurityMode): boolean => security === 'implicit' && phase === 'tls';
