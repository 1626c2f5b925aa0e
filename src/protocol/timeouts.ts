import type { Phase } from './error.js';

/** How long each step may take, in milliseconds. `Infinity` waits for ever, except for `greeting`. */
export interface Timeouts {
  /** Name resolution. Default 15,000. */
  readonly resolve: number;
  /** The TCP connection, all addresses together. Default 60,000; each of them has 10,000, or a sixth of this if that is longer. */
  readonly connect: number;
  /** A proxy's whole handshake. Default 30,000. */
  readonly proxy: number;
  /** A TLS handshake. Default 30,000. */
  readonly tls: number;
  /** From the connection to the 220, an implicit TLS handshake included. Default 30,000; if more than one door may be tried, 5,000 to its first byte. */
  readonly greeting: number;
  /** The reply to a command. Default 300,000 for MAIL and RCPT, 120,000 for DATA, 60,000 for others (RFC 5321 section 4.5.3.2). At most 20,000 for the first one on a connection that said nothing for a second, and 10,000 for RSET without content behind it: then the mail goes to another one. */
  readonly command: number | undefined;
  /** Each of these by itself: a block of content is read from its source; the socket takes it; a BDAT chunk is answered, if content is still to come. Default 180,000. */
  readonly dataBlock: number;
  /** The reply to the end of data, and to each BDAT chunk that is unanswered when it leaves. Default 600,000. */
  readonly endOfData: number;
  /** The replies still due after a 421 (if no content has left), or when the client leaves the server; and then the reply to QUIT. The reply to the `*` that gives up a sign-in. Default 2,000. */
  readonly quit: number;
  /** A whole `send()` or `verify()` from `subscribe`. No default. */
  readonly operation: number;
  /** How long `close()` waits for mails under way. Default 60,000; then they are cut off, and each fails with its own outcome. */
  readonly close: number;
}

/** The name of a limit, as options and `SmtpTimeoutError.limit` spell it. */
export type Limit = keyof Timeouts;

/** Of a whole `send()` or `close()`: it counts on while answers come. */
export const isOfAll = (limit: Limit): boolean => limit === 'operation' || limit === 'close';

/** Milliseconds that a timer of Node can count, in 31 bits: beyond that it fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const DEFAULT_TIMEOUTS: Timeouts = {
  resolve: 15 * SECOND,
  connect: MINUTE,
  proxy: 30 * SECOND,
  tls: 30 * SECOND,
  greeting: 30 * SECOND,
  command: undefined,
  dataBlock: 3 * MINUTE,
  endOfData: 10 * MINUTE,
  quit: 2 * SECOND,
  operation: Infinity,
  close: MINUTE,
};

/** Where more than one door may be tried, a silent one must not cost more than this before the next one is tried. */
export const AUTOMATIC_GREETING_TIMEOUT = 5 * SECOND;

/**
 * For the first reply on a connection that was silent for a while: a firewall may have forgotten it, and what is sent to nobody is
 * answered by nobody. As long as Postfix waits for a connection that it kept; on a new one the mail has all of its time.
 */
export const SILENT_CONNECTION_TIMEOUT = 20 * SECOND;

/**
 * For the reply to RSET where no content has left behind it: a server has nothing to do for it, and one that throws away what came
 * behind the mail before never answers it. The mail goes to another connection. Exchange takes 5 seconds for a reply to whom it distrusts.
 */
export const RESET_TIMEOUT = 10 * SECOND;

// RFC 5321 section 4.5.3.2: five minutes for MAIL and RCPT, two for DATA. The others are answered at once or not at all.
const COMMAND_DEFAULTS: Readonly<Partial<Record<Phase, number>>> = { mail: 5 * MINUTE, rcpt: 5 * MINUTE, data: 2 * MINUTE };

export const commandTimeout = (timeouts: Timeouts, phase: Phase): number => timeouts.command ?? COMMAND_DEFAULTS[phase] ?? MINUTE;

/** The limit that the reply to a command runs against, by its phase. */
export const replyLimit = (timeouts: Timeouts, phase: Phase): { readonly limit: Limit; readonly ms: number } => {
  switch (phase) {
    // For the greeting a connection has a deadline of its own.
    case 'greeting': return { limit: 'greeting', ms: Infinity };
    case 'body': return { limit: 'dataBlock', ms: timeouts.dataBlock };
    case 'end-of-data': return { limit: 'endOfData', ms: timeouts.endOfData };
    case 'quit': return { limit: 'quit', ms: timeouts.quit };
    default: return { limit: 'command', ms: commandTimeout(timeouts, phase) };
  }
};
