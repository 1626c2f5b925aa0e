import { describePlan, type ConnectionPlan } from './connection-plan.js';
import type { Receipt, RefusedRecipient } from './event.js';
import type { LogLine } from './log-line.js';
import { printable } from './printable.js';
import { isFarewell, isTooMany, type Reply } from './reply.js';
import type { Limit } from './timeouts.js';

/** Where a send was when it failed. */
export type Phase =
  | 'options' | 'resolve' | 'connect' | 'proxy' | 'tls' | 'greeting' | 'hello' | 'starttls' | 'auth'
  | 'mail' | 'rcpt' | 'data' | 'body' | 'end-of-data' | 'reset' | 'idle' | 'quit';

/**
 * Who has the mail now.
 * - `not-sent`: the end of the content never left; a retry cannot deliver twice.
 * - `refused`: the server said no; the reply says whether a retry may help.
 * - `accepted`: only some of the recipients have it (`SmtpPartialError`); those in `unsent` do not.
 * - `unknown`: the end of the content left and no reply came; a retry may deliver twice (RFC 1047).
 */
export type Outcome = 'not-sent' | 'refused' | 'accepted' | 'unknown';

/** Until the end of the content has left, nothing was sent; after it, nobody knows (RFC 1047). */
export const outcomeOf = (phase: Phase): Outcome => (phase === 'end-of-data' ? 'unknown' : 'not-sent');

/** Where nobody knows who has the mail, a retry is not for us to suggest. */
export const IN_DOUBT = 'The mail may or may not have been accepted; a retry may deliver it twice.';

interface Details {
  readonly message: string;
  readonly phase: Phase;
  /** Default: `refused` for an `SmtpReplyError`, or else by the phase: `unknown` at `end-of-data`, and `not-sent` before. */
  readonly outcome?: Outcome;
  readonly retryable?: boolean;
  readonly reply?: Reply | undefined;
  readonly refused?: readonly RefusedRecipient[];
  readonly transcript?: readonly LogLine[];
  readonly cause?: unknown;
}

const NOBODY: readonly RefusedRecipient[] = Object.freeze([]);

/** Every failure: where it happened, who has the mail now, whether a retry is safe, and what to change. */
export abstract class SmtpError extends Error {
  /** The name of its class. Written out, because minified bundles rename classes. */
  abstract override readonly name: string;
  /** What went wrong. */
  readonly code: `E_${string}`;
  /** Where it happened. */
  readonly phase: Phase;
  /** Who has the mail now. */
  readonly outcome: Outcome;
  /** True only if a retry cannot deliver twice and could succeed. */
  readonly retryable: boolean;
  /** What the server said, if it replied. */
  declare readonly reply?: Reply;
  /** All recipients that the server had refused by then, as in `receipt.refused`. Empty if it refused none. */
  readonly refused: readonly RefusedRecipient[];
  /** The last lines of the dialogue, with secrets removed. */
  readonly transcript: readonly LogLine[];

  constructor(code: `E_${string}`, { message, phase, outcome = outcomeOf(phase), retryable = false, reply, refused = NOBODY, transcript = [], cause }: Details) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.phase = phase;
    this.outcome = outcome;
    this.retryable = retryable && (outcome === 'not-sent' || outcome === 'refused');
    if (reply !== undefined) this.reply = reply;
    this.refused = refused;
    this.transcript = transcript;
  }

  /** Includes `message`, which JSON would leave out. */
  toJSON(): object {
    return Object.assign({ message: this.message }, this);
  }
}

/** The code of an error of Node's, or of one that was made like it. Others have a number there (DOMException), or anything. */
export const codeOf = (cause: unknown): string | undefined => {
  const { code } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return typeof code === 'string' ? printable(code) : undefined;
};

/**
 * What somebody else's code threw, in words, safe to show in one line: it may be anything, and may hold what a server far away said to it.
 * @param clean takes secrets out of it, as it was written and as it is shown.
 */
export const reasonOf = (cause: unknown, clean = (words: string): string => words): string => {
  try {
    // Node's own for several addresses that all refuse, say, has no words.
    const words = cause instanceof Error ? cause.message || (codeOf(cause) ?? cause.name) : String(cause);
    return printable(clean(clean(words).replace(/\s+/g, ' ').trim()));
  } catch {
    return 'it threw what has no text';
  }
};

// Words of others may be a whole page.
const LONGEST = 1000;

/** With one full stop, whatever it came with, and not too long for a message. */
export const sentence = (text: string): string => `${text.slice(0, LONGEST).toWellFormed().replace(/(?<![.\s])[.\s]+$/, '')}${text.length > LONGEST ? '...' : '.'}`;

/** The same once more, for somebody else: whoever is told of an error may change it, and calls it their own. */
export const copyOf = <E extends SmtpError>(error: E, message = error.message): E =>
  // It is its own options: its cause is taken from there.
  Object.assign(Reflect.construct(Error, [message, error], error.constructor) as E, error);

/** The same error, where a retry would find nothing left to send. */
export const withoutRetry = (error: SmtpError, message = error.message): SmtpError => Object.assign(error, { retryable: false, message });

/** Options, a message or a call that cannot work. Found before a socket is opened, or, if it depends on the server, before the end of the content leaves. */
export class SmtpUsageError extends SmtpError {
  override readonly name: string = 'SmtpUsageError';
  declare readonly code: 'E_USAGE';
  constructor(details: Omit<Details, 'phase'> & { readonly phase?: Phase }) {
    super('E_USAGE', { phase: 'options', ...details });
  }
}

/** What failed: name resolution, connecting, the TLS handshake, the certificate, the proxy, or the connection later on. */
export type ConnectionErrorCode = 'E_DNS' | 'E_CONNECT' | 'E_TLS' | 'E_CERTIFICATE' | 'E_PROXY' | 'E_CLOSED';

/** The way to the server, or the connection itself, failed. */
export class SmtpConnectionError extends SmtpError {
  override readonly name: string = 'SmtpConnectionError';
  declare readonly code: ConnectionErrorCode;
  /** A word for the cause: the system's code (`ECONNREFUSED`), or one of docs/tls.md and docs/proxies.md (`untrusted`, `denied`), `closed` or `cancelled`. */
  readonly reason: string;

  constructor(code: ConnectionErrorCode, { reason, ...details }: Details & { readonly reason: string }) {
    super(code, details);
    this.reason = reason;
  }
}

/** A limit of `timeouts` ran out. */
export class SmtpTimeoutError extends SmtpError {
  override readonly name: string = 'SmtpTimeoutError';
  declare readonly code: 'E_TIMEOUT';
  readonly limit: Limit;
  /** Milliseconds. */
  readonly elapsed: number;

  constructor({ limit, elapsed, ...details }: Details & { readonly limit: Limit; readonly elapsed: number }) {
    super('E_TIMEOUT', { retryable: true, ...details });
    this.limit = limit;
    this.elapsed = elapsed;
  }
}

/** No reply came to a command in time. */
export const isSilence = (error: unknown): error is SmtpTimeoutError => error instanceof SmtpTimeoutError && error.limit === 'command';

/** The server broke the protocol. `E_INJECTION`: clear text came ahead of the TLS handshake, which an attacker may have injected. */
export class SmtpProtocolError extends SmtpError {
  override readonly name: string = 'SmtpProtocolError';
  declare readonly code: 'E_PROTOCOL' | 'E_INJECTION';
}

/** The server said no. */
export class SmtpReplyError extends SmtpError {
  override readonly name: string = 'SmtpReplyError';
  declare readonly code: 'E_REPLY';
  declare readonly reply: Reply;
  /** What was refused, with secrets removed: a command as it was sent, or a description. */
  readonly command: string;
  /** The recipient that was refused, if it was the reply to RCPT. */
  declare readonly recipient?: string;

  constructor({ command, recipient, ...details }: Details & { readonly reply: Reply; readonly command: string; readonly recipient?: string | undefined }) {
    const { reply, phase } = details;
    super('E_REPLY', { outcome: concernsTheMail(reply, phase) ? 'refused' : 'not-sent', retryable: isTransient(reply, phase), ...details });
    this.command = command;
    if (recipient !== undefined) this.recipient = recipient;
  }
}

// RSET is about the mail before. Refused, it says nothing of this one, which was never asked for; a goodbye does.
const concernsTheMail = (reply: Reply, phase: Phase): boolean => phase !== 'reset' || isFarewell(reply);

// RFC 5321 section 4.5.3.1.10: too many recipients are no more than that, whatever the code.
const isTransient = (reply: Reply, phase: Phase): boolean => reply.severity === 4 || (phase === 'rcpt' && isTooMany(reply)) || !concernsTheMail(reply, phase);

/** The same error with all that were refused. Where it is told for one of them, its sentence counts the others. */
export const withRefused = (error: SmtpError, refused: readonly RefusedRecipient[]): SmtpError => {
  if (!(error instanceof SmtpReplyError) || error.recipient === undefined || refused.length < 2) return Object.assign(error, { refused });
  const { message, command } = error;
  const at = message.indexOf(command) + command.length;
  return Object.assign(error, { refused, message: `${message.slice(0, at)} and ${String(refused.length - 1)} more${message.slice(at).replace(/^ and \d+ more/, '')}` });
};

/** Signing in failed, or could not be tried without revealing a secret. */
export class SmtpAuthenticationError extends SmtpError {
  override readonly name: string = 'SmtpAuthenticationError';
  declare readonly code: 'E_AUTH';
  /** The mechanisms that the server offered. */
  readonly offered: readonly string[];
  /** The mechanisms that the options and the credentials allow. */
  readonly allowed: readonly string[];
  /** The mechanisms that were tried and refused, in this order. */
  readonly tried: readonly string[];
  /** Why a token was refused, in the server's words (RFC 7628 section 3.2.2); of SCRAM, its `error` (RFC 5802 section 7). Untrusted data: no URL in it was fetched. */
  declare readonly refusal?: Readonly<Record<string, string>>;

  constructor({ offered, allowed, tried, refusal, ...details }: Details & Pick<SmtpAuthenticationError, 'offered' | 'allowed' | 'tried' | 'refusal'>) {
    super('E_AUTH', details);
    this.offered = offered;
    this.allowed = allowed;
    this.tried = tried;
    if (refusal !== undefined) this.refusal = refusal;
  }
}

/** The message's own content failed: its stream broke, or it holds what this server cannot take. */
export class SmtpSourceError extends SmtpError {
  override readonly name: string = 'SmtpSourceError';
  declare readonly code: 'E_SOURCE';
  constructor(details: Details) {
    super('E_SOURCE', details);
  }
}

/**
 * The server accepted the mail for some of its recipients, and then a failure left others without a verdict. A retry of the whole
 * would deliver twice: send the same mail to those in `unsent` only.
 */
export class SmtpPartialError extends SmtpError {
  override readonly name: string = 'SmtpPartialError';
  declare readonly code: 'E_PARTIAL';
  declare readonly cause: SmtpError;
  /** Who has it, and who was refused. */
  readonly receipt: Receipt;
  /** Who may or may not have it: the reply to their transaction is missing. Only if `outcome` is `unknown`. */
  readonly inDoubt: readonly string[];
  /** Who certainly does not have it. */
  readonly unsent: readonly string[];

  constructor({ cause, receipt, inDoubt, unsent }: Pick<SmtpPartialError, 'cause' | 'receipt' | 'inDoubt' | 'unsent'>) {
    const { phase, outcome, transcript, reply, message } = cause;
    super('E_PARTIAL', {
      phase, transcript, cause, reply, refused: receipt.refused, outcome: outcome === 'unknown' ? 'unknown' : 'accepted',
      message: `The mail was accepted for ${String(receipt.accepted.length)} of ${String(receipt.envelope.to.length)} recipients, and then this happened: ${message} `
        + `Do not send it to all of them again: "receipt" tells who has it, "unsent" who does not (${String(unsent.length)}), "inDoubt" of whom nobody knows (${String(inDoubt.length)}).`,
    });
    this.receipt = receipt;
    this.inDoubt = inDoubt;
    this.unsent = unsent;
  }
}

/** Every door failed; `attempts` tells why each did. */
export class SmtpFallbackError extends SmtpError {
  override readonly name: string = 'SmtpFallbackError';
  declare readonly code: 'E_ALL_ATTEMPTS';
  readonly attempts: readonly {
    readonly plan: ConnectionPlan;
    readonly error: SmtpError;
    /** Milliseconds. */
    readonly elapsed: number;
  }[];

  constructor(attempts: SmtpFallbackError['attempts']) {
    const reasons = attempts.map(({ plan, error, elapsed }) => {
      // What one door has found out of its port stands for the others there.
      const first = attempts.find((other) => other.error === error)?.plan ?? plan;
      return first === plan ? `${describePlan(plan)}, ${error.phase}, ${String(Math.round(elapsed))} ms: ${error.message}` : `${describePlan(plan)}: the same as ${describePlan(first)}.`;
    });
    const last = attempts.at(-1)?.error;
    super('E_ALL_ATTEMPTS', {
      message: `No door opened. ${reasons.join(' | ')} Check the host, or pin the right door with the options "port" and "security".`,
      phase: last?.phase ?? 'connect',
      retryable: attempts.some(({ error }) => error.retryable),
      transcript: last?.transcript ?? [],
    });
    this.attempts = attempts;
  }
}
