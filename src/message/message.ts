import type { Envelope, Recipient } from '../protocol/envelope.js';
import type { Content } from './content.js';

/** One address: `user@example.com`, `Name <user@example.com>`, or the two apart. Several are a list, never one string. */
export type Address = string | { readonly name?: string; readonly address: string };

/** What every message may ask of the servers on its way. */
export interface DeliveryOptions {
  /** Delivery status notifications (RFC 3461), where the server offers them. */
  readonly dsn?: {
    /** How much of the mail a notification brings back. */
    readonly ret?: 'FULL' | 'HDRS';
    /** Comes back in notifications; 1 to 100 printable ASCII characters, where a blank, `+` and `=` are three. */
    readonly envid?: string;
    /** For the recipients that name nothing of their own. */
    readonly notify?: NonNullable<Recipient['notify']>;
  };
  /** TLS all the way or no delivery (RFC 8689). Default false; a server that cannot promise it is an `SmtpUsageError`. */
  readonly requireTls?: boolean;
}

/** A finished RFC 5322 message, sent as it is; line ends become CRLF. Of a message only its own properties are read, not inherited ones. */
export interface RawMessage extends DeliveryOptions {
  readonly envelope: Envelope;
  /** A function is called for each try, so that a retry can read the content again. */
  readonly raw: Content | (() => Content);
  /** Bytes; tells the server the size of a stream beforehand. One that ends earlier or later is sent, with a warning. */
  readonly size?: number;
  /**
   * The content is binary MIME (RFC 3030): it goes out byte for byte, with bare CR and LF, NUL and lines of any length.
   * Default false. A server that does not offer CHUNKING and BINARYMIME is an `SmtpUsageError`, and nothing is sent.
   */
  readonly binary?: boolean;
  /**
   * The header has characters outside of ASCII, in an address for example (RFC 6532), and may only go where SMTPUTF8 is offered, all the way.
   * Default false: as the envelope's addresses need it. A server that does not offer it is an `SmtpUsageError`, and nothing is sent.
   */
  readonly smtpUtf8?: boolean;
}

/** A message in parts. Needs the package `nodemailer` (version 10) at run time. */
export interface ComposedMessage extends DeliveryOptions {
  readonly from: Address;
  /** Who sent it for `from`: a header field. Bounces go to `from`, or where `envelope` says. */
  readonly sender?: Address;
  readonly to?: Address | readonly Address[];
  readonly cc?: Address | readonly Address[];
  /** Only in the envelope, never in the header. */
  readonly bcc?: Address | readonly Address[];
  readonly replyTo?: Address | readonly Address[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly Attachment[];
  /** Further header fields: ASCII is written as it is, other text is encoded. Those that a field of the message writes are refused here. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default: random, at the domain of `from`; the same for every retry. */
  readonly messageId?: string;
  /** The identifier of the message that this one answers, as it stands there. */
  readonly inReplyTo?: string;
  /** Those of the messages before it, one by one or in a string. */
  readonly references?: string | readonly string[];
  /** Default: when `send()` was called. */
  readonly date?: Date;
  /** What of it is left out is derived: from `from`, to everybody in `to`, `cc` and `bcc`. */
  readonly envelope?: Partial<Envelope>;
}

/** A part of its own. No file and no URL is ever opened: hand over a stream. */
export interface Attachment {
  /** Default: `attachment-1` and so on. */
  readonly filename?: string;
  /** A function is called for each try, so that a retry can read it again. */
  readonly content: Content | (() => Content);
  /**
   * Default: guessed from the file name, where only `.eml` is a message. Text in a string is told to be UTF-8; in another charset it is given as bytes. A message
   * (`message/rfc822`) goes out as it is (RFC 2046 section 5.2.1): with bytes above 127 only where 8BITMIME is offered, and with its long lines. As `application/octet-stream` it is encoded.
   */
  readonly contentType?: string;
  /** Makes it an inline part that the HTML shows with `cid:...`. */
  readonly cid?: string;
  /** Default `attachment`; `inline` for an image with `cid`. */
  readonly contentDisposition?: 'attachment' | 'inline';
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** What is sent: finished, or in parts that are put together. */
export type Message = RawMessage | ComposedMessage;
