import { isUtf8 } from 'node:buffer';
import { printable } from './printable.js';
import { makeReply, type Reply } from './reply.js';
import { Redactor } from './secret.js';

const CR = 0x0d;
const LF = 0x0a;
const MOST_LINES = 256;
const MOST_BYTES = 64 * 1024;
const EXCERPT = 60;
const MOST_KNOWN = 16;

// RFC 5321 section 4.2: Reply-code = %x32-35 %x30-35 %x30-39, and a client should accept the code alone.
const LINE = /^([2-5][0-5][0-9])(?:([ -])(.*))?$/s;

/** What came is no reply of SMTP. The message says why, as a clause. */
export class MalformedReply extends Error {
  override readonly name = 'MalformedReply';
}

/**
 * Bytes of a server in, replies out (RFC 5321 section 4.2). What it gives depends on the bytes alone, never on how they
 * were cut. Anything doubtful is malformed: a reply that two readers read differently could hide a refusal.
 */
export class ReplyParser {
  /** Octets of a line with its CRLF. Challenges of AUTH may be longer than other replies (RFC 4954 section 4). */
  lineLimit = 8 * 1024;
  /** A 334 is kept as it came: a mechanism reads it, and whoever shows it cleans it. */
  keepsChallenges = false;
  readonly #redactor: Redactor;
  #bytes: Buffer = Buffer.alloc(0);
  /** True while `#bytes` is a chunk of somebody else, which is never written to. */
  #borrowed = true;
  #end = 0;
  #replyStart = 0;
  #lineStart = 0;
  /** No LF between the start of the line and here. */
  #searched = 0;
  #code: string | undefined;
  #lines: string[] = [];
  readonly #known = new Map<string, Reply>();
  #failure: MalformedReply | undefined;

  constructor(redactor: Redactor = new Redactor()) {
    this.#redactor = redactor;
  }

  /** Octets that came and are in no reply that was read. */
  get buffered(): number {
    return this.#end - this.#replyStart;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.buffered === 0) {
      this.#bytes = chunk;
      this.#borrowed = true;
      this.#rebase(this.#end);
      this.#end = chunk.length;
      return;
    }
    if (this.#borrowed || this.#end + chunk.length > this.#bytes.length) this.#grow(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Takes one complete reply. Once it has thrown `MalformedReply`, it throws it for ever. */
  read(): Reply | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    while (this.#lineStart < this.#end) {
      this.#checkFirstByte();
      const lf = this.#findLf(this.#searched);
      const next = (lf ?? this.#end) + 1;
      if (next - this.#lineStart > this.lineLimit) this.#malformed(`a line is longer than ${String(this.lineLimit)} bytes`);
      if (next - this.#replyStart > MOST_BYTES) this.#malformed(`a reply is longer than ${String(MOST_BYTES)} bytes`);
      if (lf === undefined) {
        this.#searched = this.#end;
        return undefined;
      }
      if (this.#bytes[lf - 1] !== CR) this.#malformed('a line ends in LF without CR');
      const text = this.#text(this.#lineStart, lf - 1);
      const isLast = this.#known.has(text) || this.#takeLine(text);
      this.#lineStart = this.#searched = next;
      if (isLast) return this.#finish(text);
      if (this.#lines.length === MOST_LINES) this.#malformed(`a reply has more than ${String(MOST_LINES)} lines`);
    }
    return undefined;
  }

  /**
   * At the end of the stream: a refusal whose last line was cut off before its CRLF. A server that hangs up in haste is
   * still believed when it says no, never when it says yes.
   */
  lastWords(): Reply | undefined {
    if (this.#failure !== undefined || this.#lineStart === this.#end) return undefined;
    const text = this.#text(this.#lineStart, this.#end).replace(/\r$/, '');
    const [, code, separator, words = ''] = LINE.exec(text) ?? [];
    if (code === undefined || separator === '-' || code < '400' || (this.#code ?? code) !== code || /[\0\n]/.test(text)) return undefined;
    this.#code = code;
    this.#lines.push(this.#safe(words));
    this.#lineStart = this.#searched = this.#end;
    return this.#finish(text);
  }

  // The buffer may be larger than what came: a search beyond that would cost time for each small chunk again.
  #findLf(from: number): number | undefined {
    const at = this.#borrowed ? this.#bytes.indexOf(LF, from) : this.#bytes.subarray(from, this.#end).indexOf(LF) + from;
    return at < from ? undefined : at;
  }

  #checkFirstByte(): void {
    const first = this.#bytes[this.#lineStart] ?? 0;
    if (first >= 0x32 && first <= 0x35) return;
    // The record types "alert" and "handshake" (RFC 8446 section 5.1).
    if (first === 0x15 || first === 0x16) this.#malformed('it starts with a TLS record, so the server speaks TLS here; set "security" to "implicit"');
    if (first === CR || first === LF) this.#malformed('a line is empty');
    this.#malformed('a line does not start with a reply code');
  }

  /** True if the line is its reply's last. */
  #takeLine(text: string): boolean {
    if (text.includes('\0')) this.#malformed('a line holds NUL');
    const [, code, separator, words = ''] = LINE.exec(text) ?? [];
    if (code === undefined) this.#malformed('a line does not start with a reply code');
    if ((this.#code ??= code) !== code) this.#malformed(`the lines of a reply disagree: ${this.#code} and ${code}`);
    this.#lines.push(this.#safe(words));
    return separator !== '-';
  }

  /** @param text the last line. */
  #finish(text: string): Reply {
    this.#replyStart = this.#lineStart;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const reply = makeReply(Number(this.#code), this.#lines);
    if (this.#lines.length === 1 && !this.keepsChallenges) this.#remember(text, reply);
    this.#code = undefined;
    this.#lines = [];
    return reply;
  }

  /** Servers say the same few lines again and again; a reply is immutable, and can be too. */
  #remember(text: string, reply: Reply): void {
    if (this.#known.size === MOST_KNOWN) this.#known.clear();
    this.#known.set(text, reply);
  }

  /** UTF-8 where it is that (RFC 6531 section 3.7.4.1), else bytes as they are. */
  #text(start: number, end: number): string {
    const text = this.#bytes.toString('latin1', start, end);
    return /[\u0080-\u00ff]/.test(text) && isUtf8(this.#bytes.subarray(start, end)) ? this.#bytes.toString('utf8', start, end) : text;
  }

  #safe(text: string): string {
    return printable(this.keepsChallenges && this.#code === '334' ? text : this.#redactor.clean(text));
  }

  #malformed(why: string): never {
    const end = Math.min(this.#findLf(this.#lineStart) ?? this.#end, this.#lineStart + this.lineLimit);
    // Cleaned before it is cut, or half a secret would stay.
    const line = this.#redactor.clean(this.#text(this.#lineStart, end).replace(/\r$/, ''));
    const excerpt = printable(line.length > EXCERPT ? `${line.slice(0, EXCERPT)}...` : line);
    this.#failure = new MalformedReply(excerpt === '' ? why : `${why} ("${excerpt}")`);
    throw this.#failure;
  }

  /** Doubles, so that any number of small chunks costs linear time. */
  #grow(more: number): void {
    const kept = this.#bytes.subarray(this.#replyStart, this.#end);
    this.#bytes = Buffer.allocUnsafe(Math.max(1024, 2 * (kept.length + more)));
    this.#bytes.set(kept);
    this.#borrowed = false;
    this.#rebase(this.#replyStart);
  }

  #rebase(origin: number): void {
    this.#end -= origin;
    this.#replyStart -= origin;
    this.#lineStart -= origin;
    this.#searched -= origin;
  }
}
