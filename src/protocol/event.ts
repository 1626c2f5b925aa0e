import type { Capabilities } from './capabilities.js';
import type { ConnectionPlan, Endpoint } from './connection-plan.js';
import type { Envelope } from './envelope.js';
import type { SmtpError } from './error.js';
import type { Reply } from './reply.js';

/** The main fields of the server's certificate. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  readonly altNames: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  /** SHA-256, colon-separated upper-case hex. */
  readonly fingerprint256: string;
}

/** The events of connecting: from the first attempt to a connection on which a mail can start. */
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
  /** The connection was already open. */
  readonly reused: boolean;
}

/** The client was lenient: `message` says in what. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly code: `W_${string}`;
  readonly message: string;
}

/** The events of a mail, from its sender to the server's verdict. */
export type TransactionEvent =
  | { readonly type: 'sender-accepted'; readonly reply: Reply }
  | { readonly type: 'recipient-accepted' | 'recipient-refused'; readonly recipient: string; readonly reply: Reply }
  | { readonly type: 'progress'; readonly bytesSent: number; readonly bytesTotal?: number }
  | AcceptedEvent
  | WarningEvent;

/** The server took responsibility for the mail. Always last, exactly once. */
export interface AcceptedEvent {
  readonly type: 'accepted';
  readonly receipt: Receipt;
}

/** Everything that `send()` emits; narrows by `type`. */
export type SmtpEvent = ConnectEvent | TransactionEvent;

/** A recipient whom the server refused, and its reply. */
export interface RefusedRecipient {
  readonly recipient: string;
  readonly reply: Reply;
}

/** Which recipients the server accepted and refused, and what it said. */
export interface Receipt {
  /** Undefined if a raw message has none, or was not given as a string or bytes. */
  readonly messageId: string | undefined;
  readonly envelope: Envelope;
  readonly reply: Reply;
  /** The recipients that the server accepted. */
  readonly accepted: readonly string[];
  /** The others, each with its reply. */
  readonly refused: readonly RefusedRecipient[];
  /** Octets of the message as the server has it. */
  readonly bytes: number;
  /** The server's own id for the mail, if its reply has one in a known form. */
  readonly queueId?: string;
  readonly timings: Timings;
  /** The transactions of the mail, if its recipients were too many for one. `reply` and `queueId` are those of the last. */
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
  /** From `subscribe` to the first `ready`. */
  readonly connect: number;
  /** From MAIL until the content may be sent. */
  readonly envelope: number;
  /** The content, to its last byte. */
  readonly content: number;
  /** From the end of data to its reply. */
  readonly acceptance: number;
  /** From `subscribe` to the server's verdict. */
  readonly total: number;
}
