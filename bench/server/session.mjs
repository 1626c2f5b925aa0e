// One connection of the server that takes everything: plain code on Buffers, so that it costs little beside the client.
import { createHash } from 'node:crypto';

const CR = 13, LF = 10, DOT = 46, SPACE = 32;
const END_LENGTH = '\r\n.\r\n'.length;
const CREDENTIALS = Buffer.from('\0user\0password').toString('base64');
const word = (text) => text.charCodeAt(0) << 16 | text.charCodeAt(1) << 8 | text.charCodeAt(2);
const [MAI, RCP, DAT, BDA, RSE, EHL, AUT, QUI, STA, NOO] = ['MAI', 'RCP', 'DAT', 'BDA', 'RSE', 'EHL', 'AUT', 'QUI', 'STA', 'NOO'].map(word);

/** Where the next CRLF with a dot behind it is: a search for one byte is much faster than one for three. */
const dotLine = (bytes, from) => {
  let dot = bytes.indexOf(DOT, from + 2);
  while (dot >= 0 && (bytes[dot - 1] !== LF || bytes[dot - 2] !== CR)) dot = bytes.indexOf(DOT, dot + 1);
  return dot < 0 ? dot : dot - 2;
};

export class Session {
  #socket;
  #offer;
  #inbox;
  #upgrade;
  #state = 'command';
  #pending;
  #replies = '';
  #signedIn;
  #sender;
  #recipients = 0;
  #untouched = false;
  #hash;
  #chunkLeft = 0;
  #last = false;
  #lineStart = true;

  /**
   * @param {import('node:net').Socket} socket
   * @param {{ offer: string[], auth?: boolean }} service the keywords of EHLO; with `auth` nothing goes before AUTH
   * @param {import('./inbox.mjs').Inbox} inbox
   * @param {() => void} [upgrade] hands the socket over after STARTTLS
   */
  constructor(socket, { offer, auth = false }, inbox, upgrade) {
    this.#socket = socket;
    this.#offer = offer;
    this.#inbox = inbox;
    this.#upgrade = upgrade;
    this.#signedIn = !auth;
  }

  greet() {
    this.#socket.write('220 sink ESMTP\r\n');
  }

  /** @param {number} room bytes in front of the chunk that may be written over */
  read(chunk, room = 0) {
    const bytes = this.#withPending(chunk, room);
    this.#pending = undefined;
    let at = 0;
    while (at < bytes.length && this.#state !== 'over') {
      const next = this[this.#state](bytes, at);
      // A copy: the memory is read into again.
      if (next === at) { this.#pending = Buffer.from(bytes.subarray(at)); break; }
      at = next;
    }
    if (this.#replies === '') return;
    this.#inbox.waits += 1;
    this.#socket.write(this.#replies, 'latin1');
    this.#replies = '';
    if (this.#state === 'over') (this.#upgrade ?? (() => this.#socket.end()))();
  }

  #withPending(chunk, room) {
    const pending = this.#pending;
    if (pending === undefined) return chunk;
    if (pending.length > room) return Buffer.concat([pending, chunk]);
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset - pending.length, pending.length + chunk.length);
    bytes.set(pending);
    return bytes;
  }

  // The states. Each gives up to where it read; where it could not read on, more must come first.

  command(bytes, at) {
    const end = bytes.indexOf(LF, at);
    if (end < 0) return at;
    const next = end + 1;
    if (next < bytes.length && !this.#offer.includes('PIPELINING')) this.#inbox.breach('commands were pipelined, which was not offered');
    switch ((bytes[at] & 0xdf) << 16 | (bytes[at + 1] & 0xdf) << 8 | bytes[at + 2] & 0xdf) {
      case MAI:
        if (!this.#signedIn) { this.#replies += '530 5.7.0 Authentication required\r\n'; break; }
        if (this.#sender !== undefined) this.#inbox.breach('MAIL came inside of a transaction');
        this.#sender = bytes.latin1Slice(bytes.indexOf('<', at) + 1, bytes.indexOf('>', at));
        this.#untouched = bytes.latin1Slice(at, end).includes('BODY=BINARYMIME');
        this.#recipients = 0;
        this.#replies += '250 2.1.0 Ok\r\n';
        break;
      case RCP:
        this.#recipients += 1;
        this.#replies += '250 2.1.5 Ok\r\n';
        break;
      case DAT:
        this.#replies += '354 Go ahead\r\n';
        this.#hash = undefined;
        this.#lineStart = true;
        this.#state = 'data';
        break;
      case BDA: {
        if (!this.#offer.includes('CHUNKING')) this.#inbox.breach('BDAT came, which was not offered');
        let size = 0;
        let digit = at + 5;
        for (; bytes[digit] >= 48 && bytes[digit] <= 57; digit += 1) size = size * 10 + bytes[digit] - 48;
        this.#last = bytes[digit] === SPACE;
        this.#chunkLeft = size;
        this.#state = 'chunk';
        if (size === 0) this.#chunkDone();
        break;
      }
      case RSE:
        this.#sender = undefined;
        this.#hash = undefined;
        this.#replies += '250 2.0.0 Ok\r\n';
        break;
      case EHL:
        this.#replies += ['sink', ...this.#offer].map((line, index) => `250${index === this.#offer.length ? ' ' : '-'}${line}\r\n`).join('');
        break;
      case AUT:
        this.#signedIn = bytes.latin1Slice(at, end).includes(CREDENTIALS);
        this.#replies += this.#signedIn ? '235 2.7.0 Welcome\r\n' : '535 5.7.8 No\r\n';
        break;
      case STA:
        this.#replies += '220 2.0.0 Go ahead\r\n';
        this.#state = 'over';
        break;
      case QUI:
        this.#upgrade = undefined;
        this.#replies += '221 2.0.0 Bye\r\n';
        this.#state = 'over';
        break;
      case NOO:
        this.#replies += '250 2.0.0 Ok\r\n';
        break;
      default:
        this.#replies += '500 5.5.2 What?\r\n';
    }
    return next;
  }

  /** Content of BDAT. */
  chunk(bytes, at) {
    const end = Math.min(bytes.length, at + this.#chunkLeft);
    this.#add(bytes.subarray(at, end));
    this.#chunkLeft -= end - at;
    if (this.#chunkLeft === 0) this.#chunkDone();
    return end;
  }

  #chunkDone() {
    this.#state = 'command';
    if (this.#last) this.#keep();
    else this.#replies += '250 2.0.0 Ok\r\n';
  }

  /** Content of DATA: the dots that were doubled are taken out again (RFC 5321 section 4.5.2), in place, for one update of the hash. */
  data(bytes, at) {
    let from = at;
    let taken = at;
    const take = (end) => {
      if (from > taken) bytes.copyWithin(taken, from, end);
      taken += end - from;
    };
    if (this.#lineStart && bytes[from] === DOT) {
      if (bytes.length < from + 3) return at;
      this.#lineStart = false;
      if (bytes[from + 1] === CR && bytes[from + 2] === LF) return this.#dataDone(from + 3);
      from += 1;
    }
    this.#lineStart = false;
    for (;;) {
      const dot = dotLine(bytes, from);
      const whole = dot >= 0 && bytes.length >= dot + END_LENGTH;
      // What may be the beginning of the end is looked at again when more is there.
      const safe = dot < 0 ? Math.max(from, bytes.length - 2) : dot + (whole ? 2 : 0);
      if (safe > from) take(safe);
      const isEnd = whole && bytes[dot + 3] === CR && bytes[dot + 4] === LF;
      if (!whole || isEnd) this.#add(bytes.subarray(at, taken));
      if (!whole) return safe;
      if (isEnd) return this.#dataDone(dot + END_LENGTH);
      from = dot + 3;
    }
  }

  #dataDone(next) {
    this.#state = 'command';
    this.#keep();
    return next;
  }

  #add(bytes) {
    (this.#hash ??= createHash('sha256')).update(bytes);
  }

  #keep() {
    const digest = (this.#hash ?? createHash('sha256')).digest('latin1');
    this.#inbox.keep({ sender: this.#sender, recipients: this.#recipients, digest, untouched: this.#untouched });
    this.#hash = undefined;
    this.#sender = undefined;
    this.#replies += '250 2.0.0 Ok: queued\r\n';
  }
}
