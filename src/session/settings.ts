import type { Secret } from '../protocol/secret.js';
import type { Timeouts } from '../protocol/timeouts.js';
import type { Credentials } from '../sasl/choose.js';
import type { ProxySettings } from '../transport/proxy-settings.js';
import type { TlsSettings } from '../transport/settings.js';
import type { TokenSource } from './token-source.js';

/** What a client signs in with, and where its secret comes from. */
export type SessionCredentials =
  | { readonly kind: 'password'; readonly user: string; readonly pass: Secret }
  | { readonly kind: 'token'; readonly user: string; readonly tokens: TokenSource }
  | Extract<Credentials, { readonly kind: 'external' | 'mechanism' }>;

/** What a server refused once it would refuse again. A function may give another token, and a mechanism of one's own do as it likes. */
export const stayTheSame = (credentials: SessionCredentials | undefined): boolean =>
  credentials?.kind === 'token' ? credentials.tokens.renew === undefined : credentials?.kind !== 'mechanism';

/** What a session needs to know, checked and complete. */
export interface SessionSettings {
  readonly credentials: SessionCredentials | undefined;
  /** SASL names in upper case; `undefined` allows all that are safe. */
  readonly allowedAuthentication: readonly string[] | undefined;
  readonly allowInsecureAuth: boolean;
  /** The argument of EHLO; `undefined`: found out from the connection. */
  readonly clientName: string | undefined;
  readonly timeouts: Timeouts;
  /** So long (ms) a door may be silent. Once its greeting has begun, that has all of `timeouts.greeting`. */
  readonly silence: number;
  readonly tls: TlsSettings;
  readonly proxies: readonly ProxySettings[];
  readonly pipelining: {
    readonly enabled: boolean;
    /** Mails under way on one connection; `undefined`: 32. What the server is found not to bear lowers it. */
    readonly depth: number | undefined;
  };
}
