import type { Duplex } from 'node:stream';

const CRLF = Buffer.from('\r\n');
const END_OF_DATA = Buffer.from('\r\n.\r\n');

/** What a client sends, taken piece by piece. Nothing is read from the socket that nobody has asked for. */
export class Input {
  readonly #stream: Duplex;
  readonly #seen: (chunk: Buffer) => void;
  #pending: Buffer = Buffer.alloc(0);

  /** @param seen is told of every byte that comes. */
  constructor(stream: Duplex, seen: (chunk: Buffer) => void) {
    this.#stream = stream;
    this.#seen = seen;
  }

  /** The client sent more than was taken. */
  get isAhead(): boolean {
    return this.#pending.length > 0 || this.#stream.readableLength > 0;
  }

  /** One line without its CRLF; undefined when the client has gone. */
  async line(): Promise<string | undefined> {
    let from = 0;
    for (;;) {
      const end = this.#pending.indexOf(CRLF, from);
      if (end >= 0) return this.#take(end + CRLF.length).toString('utf8').slice(0, -CRLF.length);
      from = Math.max(0, this.#pending.length - 1);
      if (!await this.#more()) return undefined;
    }
  }

  /** So many bytes, or undefined; `arrived` is awaited at each piece, with how many have come. */
  async bytes(length: number, arrived?: (bytes: number) => Promise<void>): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    for (let left = length; ;) {
      const piece = this.#take(left);
      pieces.push(piece);
      left -= piece.length;
      await arrived?.(length - left);
      if (left === 0) return Buffer.concat(pieces);
      if (!await this.#more()) return undefined;
    }
  }

  /** Content up to its dot, with the doubled dots single; `arrived` is awaited at each piece, with how many bytes have come over the wire. */
  async content(arrived: (bytes: number) => Promise<void>): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    let length = 0;
    // As if a line had ended before it: the dot may come at once.
    let tail = CRLF;
    do {
      const chunk = this.#take(Infinity);
      const window = Buffer.concat([tail, chunk]);
      const at = window.indexOf(END_OF_DATA) - tail.length;
      chunks.push(chunk);
      if (at >= -tail.length) {
        this.#pending = chunk.subarray(at + END_OF_DATA.length);
        length += at + CRLF.length;
        await arrived(length);
        return undot(Buffer.concat(chunks).subarray(0, length));
      }
      length += chunk.length;
      tail = window.subarray(1 - END_OF_DATA.length);
      await arrived(length);
    } while (await this.#more());
    return undefined;
  }

  /** Reads and drops what comes until the client has gone. */
  async drain(): Promise<void> {
    while (await this.#more()) this.#pending = Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const stream = this.#stream;
    for (;;) {
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) {
        this.#seen(chunk);
        this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
        return true;
      }
      if (stream.readableEnded || stream.destroyed) return false;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          stream.off('readable', wake).off('end', wake).off('close', wake);
          resolve();
        };
        stream.on('readable', wake).on('end', wake).on('close', wake);
      });
    }
  }
}

/** RFC 5321 section 4.5.2: the first dot of a line goes. */
const undot = (wire: Buffer): Buffer => {
  const pieces: Buffer[] = [];
  let from = wire[0] === 0x2e ? 1 : 0;
  for (let at = wire.indexOf('\r\n.', from); at >= 0; at = wire.indexOf('\r\n.', from)) {
    pieces.push(wire.subarray(from, at + 2));
    from = at + 3;
  }
  return pieces.length === 0 ? wire.subarray(from) : Buffer.concat([...pieces, wire.subarray(from)]);
};
