import { isUtf8 } from 'node:buffer';
import { KnownReplies } from './known-replies.js';
import { printable } from './printable.js';
import { Redactor } from './redactor.js';
import { makeReply, type Reply } from './reply.js';

const CR = 0x0d;
const LF = 0x0a;
// Octets of a line with its CRLF. RFC 4954 section 4: challenges of AUTH may be longer than other replies.
const LONGEST = 8 * 1024;
const LONGEST_IN_SIGN_IN = 16 * 1024;
const MOST_LINES = 256;
const MOST_BYTES = 64 * 1024;
const EXCERPT = 60;
const CODE_LENGTH = 3;

// RFC 5321 section 4.2: Reply-code = %x32-35 %x30-35 %x30-39, and a client should accept the code alone. Some filters refuse with
// codes beyond that (571, 591): a no is believed, a yes is not.
const LINE = /^((?:[23][0-5]|[45][0-9])[0-9])(?:([ -])(.*))?$/s;

/** What came is no reply of SMTP. The message says why, as a clause. */
export class MalformedReply extends Error {
  override readonly name = 'MalformedReply';
}

/**
 * Bytes of a server in, replies out (RFC 5321 section 4.2). What it gives depends on the bytes alone, never on how they
 * were cut. Anything doubtful is malformed: a reply that two readers read differently could hide a refusal.
 */
export class ReplyParser {
  /** Challenges are among the replies. A 334 is kept as it came: a mechanism reads it, and whoever shows it cleans it. */
  isInSignIn = false;
  readonly #redactor: Redactor;
  readonly #known: KnownReplies;
  /** What came, a character for each octet, and how far it was read. */
  #input = '';
  #at = 0;
  /** The beginning of a line, and the octets of the lines before it in the same reply. */
  #begun = '';
  #before = 0;
  #code: string | undefined;
  #lines: string[] = [];
  #failure: MalformedReply | undefined;

  constructor(redactor = new Redactor(), known = new KnownReplies()) {
    this.#redactor = redactor;
    this.#known = known;
  }

  /** Octets that came and are in no reply that was read. */
  get buffered(): number {
    return this.#before + this.#begun.length + this.#input.length - this.#at;
  }

  /** Behind a reply that was read: whether the next one has such a code. */
  startsWith(code: RegExp): boolean {
    return code.test(this.#input.slice(this.#at, this.#at + CODE_LENGTH));
  }

  get #lineLimit(): number {
    return this.isInSignIn ? LONGEST_IN_SIGN_IN : LONGEST;
  }

  push(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    this.#input = this.#at === this.#input.length ? text : this.#input.slice(this.#at) + text;
    this.#at = 0;
  }

  /** Takes one complete reply. Once it has thrown `MalformedReply`, it throws it for ever. */
  read(): Reply | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const isMidway = this.#begun !== '' || this.#lines.length > 0;
    const known = isMidway || this.isInSignIn ? undefined : this.#known.find(this.#input, this.#at);
    if (known === undefined) return this.#readNew(isMidway ? undefined : this.#at);
    this.#at += known.octets.length;
    return known.reply;
  }

  /** @param begin where the reply begins; undefined where it began with what came before. */
  #readNew(begin: number | undefined): Reply | undefined {
    while (this.#at < this.#input.length) {
      if (this.#begun === '') this.#checkFirst(this.#input.charCodeAt(this.#at));
      const lf = this.#input.indexOf('\n', this.#at);
      const end = lf < 0 ? this.#input.length : lf;
      const line = this.#begun + this.#input.slice(this.#at, end);
      this.#at = lf < 0 ? end : end + 1;
      this.#begun = line;
      if (line.length >= this.#lineLimit) this.#malformed(`a line is longer than ${String(this.#lineLimit)} bytes`);
      if (this.#before + line.length >= MOST_BYTES) this.#malformed(`a reply is longer than ${String(MOST_BYTES)} bytes`);
      if (lf < 0) return undefined;
      const reply = this.#takeLine(line);
      this.#begun = '';
      if (reply !== undefined) {
        if (begin !== undefined && !this.isInSignIn) this.#known.remember(this.#input.slice(begin, this.#at), reply);
        return reply;
      }
      this.#before += line.length + 1;
    }
    return undefined;
  }

  /**
   * At the end of the stream: a refusal whose last line was cut off before its CRLF. A server that hangs up in haste is
   * still believed when it says no, never when it says yes.
   */
  lastWords(): Reply | undefined {
    const rest = this.#begun + this.#input.slice(this.#at);
    if (this.#failure !== undefined || rest === '') return undefined;
    const text = decoded(rest.replace(/\r$/, ''));
    const [, code, separator, words = ''] = LINE.exec(text) ?? [];
    if (code === undefined || separator === '-' || code < '400' || (this.#code ?? code) !== code || /[\0\n]/.test(text)) return undefined;
    this.#begun = this.#input = '';
    this.#at = 0;
    return this.#finish(code, words);
  }

  #checkFirst(first: number): void {
    if (first >= 0x32 && first <= 0x35) return;
    // The record types "alert" and "handshake" (RFC 8446 section 5.1).
    if (first === 0x15 || first === 0x16) this.#malformed('it starts with a TLS record, so the server speaks TLS here; set "security" to "implicit"');
    if (first === CR || first === LF) this.#malformed('a line is empty');
    this.#malformed('a line does not start with a reply code');
  }

  /** @param line with its CR. The reply, if the line is its last. */
  #takeLine(line: string): Reply | undefined {
    if (!line.endsWith('\r')) this.#malformed('a line ends in LF without CR');
    const text = decoded(line.slice(0, -1));
    if (text.includes('\0')) this.#malformed('a line holds NUL');
    const parts = LINE.exec(text);
    const code = parts?.[1];
    const words = parts?.[3] ?? '';
    if (code === undefined) this.#malformed('a line does not start with a reply code and a blank');
    if ((this.#code ??= code) !== code) this.#malformed(`the lines of a reply disagree: ${this.#code} and ${code}`);
    if (parts?.[2] === '-') {
      this.#lines.push(words);
      if (this.#lines.length === MOST_LINES) this.#malformed(`a reply has more than ${String(MOST_LINES)} lines`);
      return undefined;
    }
    return this.#finish(code, words);
  }

  #finish(code: string, words: string): Reply {
    const reply = makeReply(Number(code), this.#safe(code, [...this.#lines, words]));
    this.#code = undefined;
    this.#lines = [];
    this.#before = 0;
    return reply;
  }

  #safe(code: string, lines: readonly string[]): readonly string[] {
    if (this.isInSignIn && code === '334') return lines.map(printable);
    // What a server offers before a sign-in is no echo of anything, and must keep its lines.
    const mayBeSplit = code >= '400' || this.#redactor.mayMeetEchoes;
    return (mayBeSplit ? this.#redactor.cleanLines(lines) : lines.map((line) => this.#redactor.clean(line))).map(printable);
  }

  #malformed(why: string): never {
    const rest = this.#begun === '' ? this.#input.slice(this.#at) : this.#begun;
    // Cleaned before it is cut, or half a secret would stay.
    const line = this.#redactor.clean(decoded(rest.split('\n', 1).join('').slice(0, this.#lineLimit).replace(/\r$/, '')));
    const excerpt = printable(line.length > EXCERPT ? `${line.slice(0, EXCERPT)}...` : line);
    this.#failure = new MalformedReply(excerpt === '' ? why : `${why} ("${excerpt}")`);
    throw this.#failure;
  }
}

/** UTF-8 where it is that (RFC 6531 section 3.7.4.1), else octets as they are. */
const decoded = (octets: string): string => {
  if (!/[\u0080-\u00ff]/.test(octets)) return octets;
  const bytes = Buffer.from(octets, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : octets;
};
