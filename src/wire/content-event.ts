import { Command } from '../protocol/command.js';
import type { ContentEncoder } from '../protocol/content-encoder.js';
import type { Reply } from '../protocol/reply.js';
import type { Deadline } from '../transport/clock.js';

/** What is said between the go-ahead and the end, as if it were a command. */
export const CONTENT = Command.of('body', 'the content');

/** How far the content is. */
export interface Written {
  readonly type: 'written';
  readonly bytes: number;
  /** Bytes of its source: line ends that are mended make more of them. */
  readonly taken: number;
  readonly finished: boolean;
}

/** How far the content is, and at the end the server's verdict on it. */
export type ContentEvent =
  | Written
  | { readonly type: 'verdict'; readonly reply: Reply; readonly bytes: number };

export interface ContentOptions {
  readonly operation: Deadline;
  readonly encoder: ContentEncoder;
  /** The server takes bytes above 127 (RFC 6152). */
  readonly eightBit: boolean;
  /** The server takes no more octets, where it told so (RFC 1870). */
  readonly sizeLimit?: number | undefined;
  /** Each chunk waits for its reply, where the server announced no PIPELINING. */
  readonly isOneByOne?: boolean;
}
