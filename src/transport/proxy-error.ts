import { hostAndPort } from '../protocol/connection-plan.js';
import { SmtpConnectionError } from '../protocol/error.js';
import type { Target } from './dial-context.js';
import { describeProxy, type ProxySettings } from './proxy-settings.js';
import { lateRefusal, PERHAPS_OF_CERTIFICATE } from './tls-error.js';

/** What a proxy meant, in a word, whatever it speaks. */
export type ProxyReason = 'authentication' | 'denied' | 'unreachable' | 'busy' | 'unsupported' | 'protocol' | 'closed';

/** Where in the handshake. */
export type ProxyStage = 'method negotiation' | 'authentication' | 'request';

export const BEFORE_ASKED = 'it answered before it was asked';
export const CLOSED = 'it closed the connection without an answer';

const REASONS: Readonly<Record<ProxyReason, { readonly retryable: boolean; readonly hint: string }>> = {
  authentication: { retryable: false, hint: 'Check the credentials in the option "proxy".' },
  denied: { retryable: false, hint: 'Its rules forbid this host or port; use another port, another proxy, or ask its operator.' },
  unreachable: { retryable: true, hint: 'The proxy could not reach the server; check the options "host" and "port" as the proxy sees them, or try again later.' },
  busy: { retryable: true, hint: 'Try again later.' },
  unsupported: { retryable: false, hint: 'Use another protocol in the option "proxy", or another proxy.' },
  protocol: { retryable: false, hint: 'Check that protocol, host and port in the option "proxy" belong together.' },
  closed: { retryable: true, hint: 'It may not speak this protocol, forbid this host or port, or have failed to reach it; check the option "proxy", or try again later.' },
};

/** A handshake that ended badly. It never carries what a library says of it as a cause: that may hold the credentials. */
export const handshakeError = (proxy: ProxySettings, target: Target, stage: ProxyStage, reason: ProxyReason, said: string, hint = hintOf(reason, proxy)): SmtpConnectionError =>
  new SmtpConnectionError('E_PROXY', {
    phase: 'proxy', reason, retryable: REASONS[reason].retryable,
    message: `The proxy ${describeProxy(proxy)} opened no way to ${hostAndPort(target)} (stage: ${stage}): ${said}. ${hint}`,
  });

const hintOf = (reason: ProxyReason, { user, tls }: ProxySettings): string => {
  if (reason === 'authentication' && user === undefined) return 'It wants credentials: give user and password in the option "proxy".';
  const { hint } = REASONS[reason];
  return reason === 'closed' && tls?.showsCertificate === true ? `${hint} ${PERHAPS_OF_CERTIFICATE} ${WHOSE_TLS}` : hint;
};

const WHOSE_TLS = 'For a proxy, "tls" is the one in the option "proxy"; the option "tls" is the server\'s.';

/** TLS with the proxy failed. */
export const tlsStageError = (proxy: ProxySettings, error: SmtpConnectionError): SmtpConnectionError => {
  const { reason, retryable, message } = error;
  const what = reason === 'plaintext-peer' ? 'It does not speak TLS there: use http:// instead of https:// in the option "proxy".' : `${message} ${WHOSE_TLS}`;
  return new SmtpConnectionError('E_PROXY', { phase: 'proxy', reason, retryable, cause: error, message: `The proxy ${describeProxy(proxy)} opened no way (stage: TLS handshake). ${what}` });
};

/** The same where the proxy says so in the place of its answer, as it may in TLS 1.3. Undefined for any other error. */
export const lateTlsError = (proxy: ProxySettings, error: NodeJS.ErrnoException): SmtpConnectionError | undefined => {
  const refused = lateRefusal(error, hostAndPort(proxy));
  return refused === undefined ? undefined : tlsStageError(proxy, refused);
};
