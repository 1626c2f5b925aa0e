import { SmtpUsageError, type Phase } from './error.js';
import { HIDDEN } from './secret.js';

// RFC 5321 section 4.1.1: nothing but printable characters and UTF-8 may stand in a command. Refused, never repaired.
const FORBIDDEN = /[\u0000-\u001f\u007f\u0085\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** One command as a value. It prints itself without its secrets, which are in `line` alone. */
export class Command {
  readonly phase: Phase;
  readonly #line: string;
  readonly #shown: string;

  private constructor(phase: Phase, line: string, shown: string, argument = line) {
    if (FORBIDDEN.test(argument))
      throw new SmtpUsageError({ phase, message: `The argument of ${shown.split(' ', 1)[0] ?? ''} holds a line break, NUL or another character that SMTP forbids. Remove it.` });
    this.phase = phase;
    this.#line = line;
    this.#shown = shown;
  }

  static of(phase: Phase, line: string): Command {
    return new Command(phase, line, line);
  }

  /** A verb and what is told with it. Only that is looked at: the whole line would be copied for it, for each recipient. */
  static withPath(phase: Phase, verb: string, path: string, parameters: string): Command {
    const line = `${verb}:<${path}>${parameters}`;
    return new Command(phase, line, line, parameters === '' ? path : path + parameters);
  }

  /** Of a sign-in: `secret` goes out behind `words` and is never shown. */
  static confidential(words: readonly string[], secret: string): Command {
    return new Command('auth', [...words, secret].join(' '), [...words, HIDDEN].join(' '));
  }

  /** What goes on the wire, without its CRLF. */
  get line(): string {
    return this.#line;
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.#shown;
  }
}

export const ehlo = (clientName: string): Command => Command.of('hello', `EHLO ${clientName}`);
export const helo = (clientName: string): Command => Command.of('hello', `HELO ${clientName}`);
export const STARTTLS = Command.of('starttls', 'STARTTLS');
/** @param parameters each with a space in front. */
export const mailFrom = (path: string, parameters = ''): Command => Command.withPath('mail', 'MAIL FROM', path, parameters);
/** @param parameters each with a space in front. */
export const rcptTo = (path: string, parameters = ''): Command => Command.withPath('rcpt', 'RCPT TO', path, parameters);
export const DATA = Command.of('data', 'DATA');
/** A chunk of content (RFC 3030 section 2); with the last one the end of the data leaves. */
export const bdat = (size: number, isLast: boolean): Command =>
  isLast ? Command.of('end-of-data', `BDAT ${String(size)} LAST`) : Command.of('body', `BDAT ${String(size)}`);
export const RSET = Command.of('reset', 'RSET');
export const QUIT = Command.of('quit', 'QUIT');

/** AUTH with its initial response; an empty one is `=` (RFC 4954 section 4), none at all leaves the word out. */
export const auth = (mechanism: string, initialResponse?: Uint8Array): Command =>
  initialResponse === undefined
    ? Command.of('auth', `AUTH ${mechanism}`)
    : Command.confidential(['AUTH', mechanism], initialResponse.length === 0 ? '=' : base64(initialResponse));

export const authResponse = (response: Uint8Array): Command => Command.confidential([], base64(response));

/** Gives an AUTH exchange up (RFC 4954 section 4). */
export const AUTH_CANCEL = Command.of('auth', '*');

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
