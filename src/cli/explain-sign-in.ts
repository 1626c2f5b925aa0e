import { defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { settings } from '../config/options.js';
import type { ConnectEvent, SmtpOptions } from '../index.js';
import { ANY_BINDING, candidates, type Credentials } from '../sasl/choose.js';
import { isConfidential } from '../session/confidential.js';
import { writeLine, type Output } from './io.js';
import { style } from './style.js';

type Connected = Extract<ConnectEvent, { readonly type: 'connected' }>;

/** Below each EHLO: what the server offers to sign in with, before and after TLS, and what the credentials, or else a password, would use of it, and why. */
export const explainSignIn = (out: Output, options: SmtpOptions): MonoTypeOperatorFunction<ConnectEvent> => (events$) =>
  defer(() => {
    const { credentials } = settings(options);
    let connected: Connected | undefined;
    let isSecure = false;
    return events$.pipe(tap((event) => {
      if (event.type === 'connected') { connected = event; isSecure = false; }
      if (event.type === 'secured') isSecure = true;
      if (event.type !== 'introduced' || connected === undefined) return;
      const offered = event.capabilities.authentication;
      const confidential = isSecure || options.allowInsecureAuth === true || isConfidential(connected);
      for (const line of explanation(offered, { isSecure, confidential, allowed: options.allowedAuthentication }, credentials))
        writeLine(out, `${' '.repeat(INDENT)}${style(out, 'gray', line)}`);
    }));
  });

// Below the texts of the events.
const INDENT = 31;

/** What is explained where nothing is given to sign in with. */
const A_PASSWORD: Credentials = { kind: 'password', user: '' };

const NAMES = { password: 'a password', token: 'a token', external: 'the certificate', mechanism: 'your own mechanism' } as const satisfies Record<Credentials['kind'], string>;

interface Circumstances {
  readonly isSecure: boolean;
  readonly confidential: boolean;
  readonly allowed: readonly string[] | undefined;
}

/** A line each. */
export const explanation = (offered: readonly string[], { isSecure, confidential, allowed }: Circumstances, credentials: Credentials = A_PASSWORD): readonly string[] => {
  const where = isSecure ? 'over TLS' : 'over clear text';
  if (offered.length === 0) return [`sign-in ${where}: none is offered`];
  const what = NAMES[credentials.kind];
  const service = { host: '', port: 0 };
  const binding = isSecure ? ANY_BINDING : undefined;
  const { usable, withheld, unable, unnamed } = candidates(credentials, { offered, allowed, confidential, service, binding });
  const [best, ...weaker] = usable.map(({ name }) => name);
  return [
    `sign-in ${where}: ${offered.join(' ')}`,
    best === undefined ? `${what} would use none of them` : `${what} would use ${best}, the strongest that is offered and allowed`,
    ...(weaker.length === 0 ? [] : [`only if the server refuses that mechanism itself: ${weaker.join(' ')}`]),
    ...(withheld.length === 0 ? [] : [`not without TLS: ${withheld.join(' ')}`]),
    ...(unable.length === 0 ? [] : [`not in this runtime, which has no MD5: ${unable.join(' ')}`]),
    ...(unnamed.length === 0 ? [] : [`only where allowedAuthentication names it: ${unnamed.join(' ')}`]),
  ];
};
