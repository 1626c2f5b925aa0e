import { isAscii } from 'node:buffer';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);
const END = Buffer.from('.\r\n');

/** Makes content fit for the wire, chunk by chunk. */
export interface ContentEncoder {
  /** Octets of the message so far, as the server will have it. */
  readonly bytes: number;
  /** A byte above 127 was seen. */
  readonly eightBit: boolean;
  encode(chunk: Uint8Array): Buffer;
  /** What is missing at the end. */
  end(): Buffer;
}

/**
 * Content in canonical lines, as BDAT wants it (RFC 3030 section 2): every one ends in CRLF. A bare CR or LF never gets
 * through: servers differ on them, and that difference smuggles mail.
 */
export class CanonicalLines implements ContentEncoder {
  readonly #doublesDots: boolean;
  #bytes = 0;
  #eightBit = false;
  #atLineStart = true;
  /** A CR at the end of a chunk: only the next byte tells whether its LF is still to come. */
  #heldCr = false;

  constructor(doublesDots = false) {
    this.#doublesDots = doublesDots;
  }

  /** Octets of the message so far as the server will have it: line ends normalised, dots single. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A byte above 127 was seen. */
  get eightBit(): boolean {
    return this.#eightBit;
  }

  /** The same bytes where nothing needs a change, as nearly always. */
  encode(chunk: Uint8Array): Buffer {
    if (chunk.length === 0) return NOTHING;
    const bytes = asBuffer(chunk);
    this.#eightBit ||= !isAscii(bytes);
    const resolved = this.#heldCr;
    if (resolved) this.#atLineStart = true;
    this.#heldCr = bytes.at(-1) === CR;
    const body = bytes.subarray(resolved && bytes[0] === LF ? 1 : 0, this.#heldCr ? -1 : undefined);
    const { bare, dots } = survey(body, this.#atLineStart);
    const more = bare + (this.#doublesDots ? dots : 0);
    const stuffed = more === 0 ? body : rewrite(body, body.length + more, this.#doublesDots, this.#atLineStart);
    if (body.length > 0) this.#atLineStart = body.at(-1) === LF;
    this.#bytes += body.length + bare + (resolved ? CRLF.length : 0);
    return resolved ? Buffer.concat([CRLF, stuffed]) : stuffed;
  }

  /** The last line's end, where it is missing. */
  end(): Buffer {
    if (this.#atLineStart && !this.#heldCr) return NOTHING;
    this.#bytes += CRLF.length;
    this.#atLineStart = true;
    this.#heldCr = false;
    return CRLF;
  }
}

/** Content as DATA wants it (RFC 5321 section 4.5.2): canonical lines, a dot at the start of one is doubled, and at the end comes a dot. */
export class DotStuffing extends CanonicalLines {
  constructor() {
    super(true);
  }

  override end(): Buffer {
    return Buffer.concat([super.end(), END]);
  }
}

/** What an encoder of lines will find in content that is all there, without a copy of it. */
export const measure = (content: Uint8Array): { readonly bytes: number; readonly eightBit: boolean } => {
  const bytes = asBuffer(content);
  const last = bytes.at(-1);
  const { bare } = survey(last === CR ? bytes.subarray(0, -1) : bytes, true);
  const missing = last === undefined || last === LF ? 0 : last === CR ? 1 : 2;
  return { bytes: bytes.length + bare + missing, eightBit: !isAscii(bytes) };
};

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Counts bare line ends and dots at line starts. A line costs two native searches; a byte is never searched twice. */
const survey = (bytes: Buffer, atLineStart: boolean): { readonly bare: number; readonly dots: number } => {
  const find = (byte: number, from: number): number => {
    const at = bytes.indexOf(byte, from);
    return at < 0 ? Infinity : at;
  };
  let bare = 0;
  let dots = atLineStart && bytes[0] === DOT ? 1 : 0;
  let cr = find(CR, 0);
  let lf = find(LF, 0);
  while (cr < Infinity || lf < Infinity) {
    const isPair = lf === cr + 1;
    const next = (isPair ? lf : Math.min(cr, lf)) + 1;
    if (!isPair) bare += 1;
    if (bytes[next] === DOT) dots += 1;
    if (cr < next) cr = find(CR, next);
    if (lf < next) lf = find(LF, next);
  }
  return { bare, dots };
};

const rewrite = (bytes: Buffer, length: number, doublesDots: boolean, atLineStart: boolean): Buffer => {
  const stuffed = Buffer.allocUnsafe(length);
  let size = 0;
  let isStart = atLineStart;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === CR || byte === LF) {
      if (byte === CR && bytes[at + 1] === LF) at += 1;
      stuffed[size++] = CR;
      stuffed[size++] = LF;
      isStart = true;
    } else {
      if (isStart && doublesDots && byte === DOT) stuffed[size++] = DOT;
      stuffed[size++] = byte;
      isStart = false;
    }
  }
  return stuffed;
};
