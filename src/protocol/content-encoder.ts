import { isAscii } from 'node:buffer';
import { asBuffer } from './as-buffer.js';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Makes content fit for the wire, chunk by chunk, in memory of the caller's. */
export interface ContentEncoder {
  /** Octets of the message so far, as the server will have it: line ends in their form, dots single. */
  readonly bytes: number;
  /** A byte above 127 was seen. */
  readonly eightBit: boolean;
  /** Writes a chunk into `into`, from `at` on, and gives where it ended. There must be `roomFor` it. */
  encode(chunk: Uint8Array, into: Buffer, at: number): number;
  /** Writes what is missing at the end. */
  end(into: Buffer, at: number): number;
}

/** So many bytes does a chunk take at most, with the end behind it: each may be a line end, and a CR may be held back. */
export const roomFor = (length: number): number => 2 * length + 8;

/**
 * Content in canonical lines, as BDAT wants it (RFC 3030 section 2): every one ends in CRLF. A bare CR or LF never gets
 * through: servers differ on them, and that difference smuggles mail.
 */
export class CanonicalLines implements ContentEncoder {
  bytes = 0;
  eightBit = false;
  readonly #doublesDots: boolean;
  #atLineStart = true;
  /** A CR at the end of a chunk: only the next byte tells whether its LF is still to come. */
  #heldCr = false;

  constructor(doublesDots = false) {
    this.#doublesDots = doublesDots;
  }

  /** A line costs two native searches, and only what lies between two changes is moved, at once. */
  encode(chunk: Uint8Array, into: Buffer, at: number): number {
    if (chunk.length === 0) return at;
    const bytes = asBuffer(chunk);
    this.eightBit ||= !isAscii(bytes);
    // At the far end of `into`, from where it moves to its place: faster than a copy from elsewhere for each run of bytes.
    const source = into.length - bytes.length;
    into.set(bytes, source);
    const dot = this.#doublesDots ? DOT : NEVER;
    let dots = 0;
    let end = at;
    let start = 0;
    if (this.#heldCr) {
      end = lineEnd(into, end);
      if (bytes[0] === LF) start = 1;
      this.#atLineStart = true;
    }
    this.#heldCr = bytes.at(-1) === CR;
    const stop = bytes.length - (this.#heldCr ? 1 : 0);
    if (this.#atLineStart && start < stop && bytes[start] === dot) {
      into[end++] = DOT;
      dots += 1;
    }
    if (start < stop) this.#atLineStart = bytes[stop - 1] === LF;
    let cr = find(bytes, CR, start);
    let lf = find(bytes, LF, start);
    while (cr < stop || lf < stop) {
      const isPair = lf === cr + 1;
      const next = (isPair ? lf : Math.min(cr, lf)) + 1;
      const isDoubled = bytes[next] === dot;
      if (!isPair || isDoubled) {
        into.copyWithin(end, source + start, source + next);
        end += next - start;
        start = next;
      }
      if (!isPair) end = lineEnd(into, end - 1);
      if (isDoubled) {
        into[end++] = DOT;
        dots += 1;
      }
      if (cr < next) cr = find(bytes, CR, next);
      if (lf < next) lf = find(bytes, LF, next);
    }
    into.copyWithin(end, source + start, source + stop);
    end += stop - start;
    this.bytes += end - at - dots;
    return end;
  }

  /** The last line's end, where it is missing. */
  end(into: Buffer, at: number): number {
    if (this.#atLineStart && !this.#heldCr) return at;
    this.bytes += 2;
    this.#atLineStart = true;
    this.#heldCr = false;
    return lineEnd(into, at);
  }
}

/** Content as DATA wants it (RFC 5321 section 4.5.2): canonical lines, a dot at the start of one is doubled, and at the end comes a dot. */
export class DotStuffing extends CanonicalLines {
  constructor() {
    super(true);
  }

  override end(into: Buffer, at: number): number {
    const end = super.end(into, at);
    into[end] = DOT;
    return lineEnd(into, end + 1);
  }
}

/** Content that goes out as it is. */
export class Untouched implements ContentEncoder {
  /** Nobody needs to know. */
  readonly eightBit = false;
  bytes = 0;

  encode(chunk: Uint8Array, into: Buffer, at: number): number {
    into.set(chunk, at);
    this.bytes += chunk.length;
    return at + chunk.length;
  }

  end(_into: Buffer, at: number): number {
    return at;
  }
}

/** All of some content in canonical lines. */
export const canonical = (content: Uint8Array): Buffer => {
  const encoder = new CanonicalLines();
  const into = Buffer.allocUnsafe(roomFor(content.length));
  return into.subarray(0, encoder.end(into, encoder.encode(content, into, 0)));
};

const DOT_LINE = Buffer.from('\n.');

/** Content in canonical lines as DATA wants it, but for the dot at its end. */
export const dotted = (content: Buffer): Buffer => {
  if (content[0] !== DOT && !content.includes(DOT_LINE)) return content;
  const into = Buffer.allocUnsafe(roomFor(content.length));
  return into.subarray(0, new DotStuffing().encode(content, into, 0));
};

/** What an encoder of lines will find in content that is all there. */
export const measure = (content: Uint8Array): { readonly bytes: number; readonly eightBit: boolean } => {
  const bytes = asBuffer(content);
  const last = bytes.at(-1);
  let { length } = bytes;
  for (let at = 0; at < bytes.length; at += PIECE) {
    // Native code from the first mail on, where a loop of ours would have to run warm.
    length += bytes.toString('latin1', at, at + PIECE).match(BARE)?.length ?? 0;
    // Cut apart, both halves of a pair looked bare.
    if (bytes[at] === LF && bytes[at - 1] === CR) length -= 2;
  }
  return { bytes: last === undefined || last === LF || last === CR ? length : length + 2, eightBit: !isAscii(bytes) };
};

const BARE = /\r(?!\n)|(?<!\r)\n/g;
// As much of a content as becomes a string at once.
const PIECE = 64 * 1024;
const NEVER = -1;

const find = (bytes: Buffer, byte: number, from: number): number => {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? Infinity : at;
};

const lineEnd = (into: Buffer, at: number): number => {
  into[at] = CR;
  into[at + 1] = LF;
  return at + 2;
};
