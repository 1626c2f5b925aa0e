import type { Certificate } from './certificates.js';
import type { Fault } from './fault.js';
import type { SignIn } from './sign-in.js';

/** A mail that the server accepted. */
export interface ReceivedMessage {
  /** The reverse-path; empty for `<>`. */
  readonly from: string;
  readonly to: readonly string[];
  /** Byte for byte, with dot-stuffing removed. */
  readonly content: Buffer;
  /** The parameters of MAIL, and of each RCPT. */
  readonly parameters: { readonly mail: readonly string[]; readonly rcpt: readonly (readonly string[])[] };
  readonly queueId: string;
  /** It came over TLS. */
  readonly secure: boolean;
  /** Who had signed in. */
  readonly user?: string;
  /** The number of the session in which it came, from 1. */
  readonly session: number;
}

/** One connection, from its greeting to its end. */
export interface ReceivedSession {
  /** The dialogue: `C: ` and what the client said, `S: ` and what the server said. Content is not in it. */
  readonly lines: readonly string[];
  /** All bytes that arrived, after decryption, content included. */
  readonly received: Buffer;
}

/** What the server offers, takes and refuses, and what goes wrong. */
export interface ServerOptions extends Partial<Certificate> {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: any free port. */
  readonly port?: number;
  /** `starttls` (default) offers the upgrade, `implicit` starts with TLS, `none` has none. Without `cert` and `key` the certificate is for `localhost`. */
  readonly tls?: 'starttls' | 'implicit' | 'none';
  /** Who may sign in, and with what password. Without any, AUTH is not offered. */
  readonly users?: Readonly<Record<string, string>>;
  /** Default PLAIN, LOGIN and CRAM-MD5. Also available are SCRAM-SHA-256 and, with the password as the token, XOAUTH2 and OAUTHBEARER. */
  readonly mechanisms?: readonly string[];
  /** Mechanisms of your own, by name in upper case. Offered besides `mechanisms`, and used before them. */
  readonly signIn?: Readonly<Record<string, SignIn>>;
  /** The largest message in bytes. Default 52,428,800; 0 offers SIZE without a limit. */
  readonly size?: number;
  /**
   * Announced as LIMITS (RFC 9422), and enforced: for a mail too many the server replies 421 and closes, for a recipient too many 452. With LIMITS in `without`
   * they are enforced but not announced.
   */
  readonly limits?: {
    /** In one session. */
    readonly mails?: number;
    /** In one transaction. */
    readonly recipients?: number;
    /** Of the recipients, in one session. */
    readonly domains?: number;
  };
  /** Keywords that are not offered, and whose commands and parameters are not understood. */
  readonly without?: readonly string[];
  /** Further lines of the EHLO reply: `BINARYMIME`, say, with which binary content is kept as it came. */
  readonly offers?: readonly string[];
  /** What goes wrong, and where. */
  readonly faults?: readonly Fault[];
  /** May return the reply to a sender, `550 5.7.1 no` say; undefined accepts it. */
  readonly onSender?: (path: string) => string | undefined;
  /** The same for a recipient. */
  readonly onRecipient?: (path: string) => string | undefined;
  /** The same for a complete mail. */
  readonly onMessage?: (message: ReceivedMessage) => string | undefined;
}
