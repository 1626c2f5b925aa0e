import type { Timeouts } from '../protocol/timeouts.js';
import type { Credentials } from '../sasl/choose.js';
import type { TlsSettings } from '../transport/settings.js';

/** What a session needs to know, checked and complete. */
export interface SessionSettings {
  readonly credentials: Credentials | undefined;
  /** SASL names in upper case; `undefined` allows all that are safe. */
  readonly allowedAuthentication: readonly string[] | undefined;
  readonly allowInsecureAuth: boolean;
  /** The argument of EHLO; `undefined`: found out from the connection. */
  readonly clientName: string | undefined;
  readonly timeouts: Timeouts;
  readonly tls: TlsSettings;
  readonly pipelining: {
    readonly enabled: boolean;
    /** Mails under way on one connection; `undefined` leaves it to the server's manners. */
    readonly depth: number | undefined;
  };
}
