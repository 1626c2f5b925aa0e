import type { Capabilities } from './capabilities.js';
import type { ConnectionPlan, Endpoint } from './connection-plan.js';
import type { Envelope } from './envelope.js';
import type { SmtpError } from './error.js';
import type { Reply } from './reply.js';

/** What is told of the server's certificate. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  readonly altNames: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  /** SHA-256, colon-separated upper-case hex. */
  readonly fingerprint256: string;
}

/** The way to a mail: from the first attempt to a connection on which a mail can start. */
export type ConnectEvent =
  | { readonly type: 'attempt-started'; readonly plan: ConnectionPlan; readonly index: number }
  | {
    readonly type: 'attempt-failed';
    readonly plan: ConnectionPlan;
    readonly index: number;
    readonly error: SmtpError;
    /** Milliseconds. */
    readonly elapsed: number;
  }
  | { readonly type: 'connected'; readonly remote: Endpoint; readonly local: Endpoint; readonly via?: string }
  | { readonly type: 'greeted'; readonly reply: Reply }
  | { readonly type: 'introduced'; readonly capabilities: Capabilities }
  | { readonly type: 'secured'; readonly mode: 'implicit' | 'starttls'; readonly protocol: string; readonly cipher: string; readonly certificate: CertificateSummary }
  | { readonly type: 'authenticated'; readonly mechanism: string; readonly user: string }
  | ReadyEvent
  | WarningEvent;

/** A mail can start. */
export interface ReadyEvent {
  readonly type: 'ready';
  readonly capabilities: Capabilities;
  /** SASL mechanisms that the server offers. */
  readonly supportedAuthentication: readonly string[];
  /** The connection is encrypted. */
  readonly secure: boolean;
  /** The connection was open already. */
  readonly reused: boolean;
}

/** Something lenient happened. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly code: `W_${string}`;
  readonly message: string;
}

/** The mail itself, from its sender to the server's last word. */
export type TransactionEvent =
  | { readonly type: 'sender-accepted'; readonly reply: Reply }
  | { readonly type: 'recipient-accepted' | 'recipient-refused'; readonly recipient: string; readonly reply: Reply }
  | { readonly type: 'progress'; readonly bytesSent: number; readonly bytesTotal?: number }
  | AcceptedEvent
  | WarningEvent;

/** The server took responsibility. Always last, exactly once. */
export interface AcceptedEvent {
  readonly type: 'accepted';
  readonly receipt: Receipt;
}

/** Everything that `send()` tells; narrows by `type`. */
export type SmtpEvent = ConnectEvent | TransactionEvent;

/** A recipient whom the server refused, and its reply. */
export interface RefusedRecipient {
  readonly recipient: string;
  readonly reply: Reply;
}

/** What the server took, and from whom it refused it. */
export interface Receipt {
  readonly messageId: string | undefined;
  readonly envelope: Envelope;
  readonly reply: Reply;
  /** The recipients that the server took. */
  readonly accepted: readonly string[];
  /** The others, each with its reply. */
  readonly refused: readonly RefusedRecipient[];
  /** Octets of the message as the server has it. */
  readonly bytes: number;
  /** The server's own name for the mail, where its reply tells one in a form that is in use. */
  readonly queueId?: string;
  readonly timings: Timings;
  /** The transactions that it took, where the recipients were too many for one. `reply` and `queueId` are those of the last. */
  readonly parts?: readonly ReceiptPart[];
}

/** One transaction of several. */
export interface ReceiptPart {
  readonly reply: Reply;
  readonly queueId?: string;
  readonly accepted: readonly string[];
}

/** Milliseconds. */
export interface Timings {
  /** From `subscribe` to `ready`, the first one. */
  readonly connect: number;
  /** From MAIL to the go-ahead for the content. */
  readonly envelope: number;
  /** The content, to its last byte. */
  readonly content: number;
  /** From the end of data to its reply. */
  readonly acceptance: number;
  /** From `subscribe` to the server's last word. */
  readonly total: number;
}
