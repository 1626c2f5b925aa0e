import type { Envelope, Recipient } from '../protocol/envelope.js';
import type { Content } from './content.js';

/** One address: `user@example.com`, `Name <user@example.com>`, or name and address as two fields. Give several as a list, never in one string. */
export type Address = string | { readonly name?: string; readonly address: string };

/** What any message may request of the servers on its way. */
export interface DeliveryOptions {
  /** Delivery status notifications (RFC 3461), where the server offers them. */
  readonly dsn?: {
    /** How much of the mail a notification brings back. */
    readonly ret?: 'FULL' | 'HDRS';
    /** Comes back in notifications; 1 to 100 printable ASCII characters, where a blank, `+` and `=` are three. */
    readonly envid?: string;
    /** For recipients without a `notify` of their own. */
    readonly notify?: NonNullable<Recipient['notify']>;
  };
  /** TLS all the way or no delivery (RFC 8689). Default false; a server that cannot promise it is an `SmtpUsageError`. */
  readonly requireTls?: boolean;
}

/** A finished RFC 5322 message, sent as it is; line ends become CRLF. Only own properties are read, not inherited ones. */
export interface RawMessage extends DeliveryOptions {
  readonly envelope: Envelope;
  /** A function is called for each try, so that a retry can read the content again. */
  readonly raw: Content | (() => Content);
  /** Bytes; tells the server the size of a stream in advance. If the stream turns out shorter or longer, it is sent, with a warning. */
  readonly size?: number;
  /**
   * The content is binary MIME (RFC 3030): it goes out byte for byte, with bare CR and LF, NUL and lines of any length.
   * Default false. A server that does not offer CHUNKING and BINARYMIME is an `SmtpUsageError`, and nothing is sent.
   */
  readonly binary?: boolean;
  /**
   * The header has non-ASCII characters (RFC 6532), in an address for example, so every server on the way must support SMTPUTF8.
   * Default false: SMTPUTF8 is used only if the envelope's addresses need it. A server that does not offer it is an `SmtpUsageError`, and nothing is sent.
   */
  readonly smtpUtf8?: boolean;
}

/** A message to be composed from its fields. Needs the package `nodemailer` (version 10) at run time. */
export interface ComposedMessage extends DeliveryOptions {
  readonly from: Address;
  /** The header field Sender: who sent it on behalf of `from`. Bounces go to `from`, or to `envelope.from`. */
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
  /** Further header fields: ASCII is written as it is, other text is encoded. Header fields that have a field of their own above are refused here. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default: random, at the domain of `from`; the same for every retry. */
  readonly messageId?: string;
  /** The Message-ID of the message that this one answers, as in its header. */
  readonly inReplyTo?: string;
  /** The Message-IDs of earlier messages in the thread, as a list or in one string. */
  readonly references?: string | readonly string[];
  /** Default: when `send()` was called. */
  readonly date?: Date;
  /** Default: from `from`, to everybody in `to`, `cc` and `bcc`. A field given here replaces only that part. */
  readonly envelope?: Partial<Envelope>;
}

/** An attachment. No file and no URL is ever opened: give a stream. */
export interface Attachment {
  /** Default: `attachment-1` and so on. */
  readonly filename?: string;
  /** A function is called for each try, so that a retry can read it again. */
  readonly content: Content | (() => Content);
  /**
   * Default: guessed from the file name, where only `.eml` is a message. Text given as a string is labelled UTF-8, what a function or a stream gives is not; give text in another charset as bytes. A message
   * (`message/rfc822`) goes out as it is (RFC 2046 section 5.2.1): with its long lines, and with bytes above 127 only if 8BITMIME is offered. As `application/octet-stream` it is encoded.
   */
  readonly contentType?: string;
  /** Makes it an inline part that the HTML shows with `cid:...`. */
  readonly cid?: string;
  /** Default `attachment`; `inline` for an image with `cid`. */
  readonly contentDisposition?: 'attachment' | 'inline';
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** A message to send: finished, or to be composed. */
export type Message = RawMessage | ComposedMessage;
