// What is sent: the same for every contender, made from a number, so that the server can tell what should have arrived.
import { createHash } from 'node:crypto';

const LINE = 76;
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('latin1');

/** Small mails, each with its number in it. `mail(n).raw` is a Buffer of `bytes`. */
const small = ({ bytes, recipients }) => {
  const to = Array.from({ length: recipients }, (_, index) => `r${index}@bench.example`);
  const head = 'From: <sender@bench.example>\r\nTo: <list@bench.example>\r\nSubject: bench\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\nMessage-ID: <00000000@bench.example>\r\n\r\n';
  const number = head.indexOf('00000000');
  const template = Buffer.alloc(bytes, `${'x'.repeat(LINE)}\r\n`);
  template.write(head, 'latin1');
  template.write('\r\n', bytes - 2, 'latin1');
  const raw = (n) => {
    const copy = Buffer.from(template);
    copy.write(String(n).padStart(8, '0'), number, 'latin1');
    return copy;
  };
  return { mail: (n) => ({ envelope: { from: sender(n), to }, raw: raw(n) }), digest: (n) => sha256(raw(n)) };
};

/** Messages that a client composes. What each would choose for itself is given, so that all make the same bytes: those of nodemailer's composer. */
const composed = ({ bytes, recipients }) => {
  const to = Array.from({ length: recipients }, (_, index) => `r${index}@bench.example`);
  const text = `${'x'.repeat(LINE)}\r\n`.repeat(Math.ceil(bytes / (LINE + 2)));
  const messageId = (n) => `<${n}@bench.example>`;
  const head = (n) => `From: ${sender(n)}\r\nTo: list@bench.example\r\nSubject: bench\r\nMessage-ID: ${messageId(n)}\r\nDate: Sun, 01 Nov 2026 12:00:00 +0000\r\n`
    + 'Content-Transfer-Encoding: 7bit\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n';
  return {
    mail: (n) => ({ envelope: { from: sender(n), to }, from: sender(n), to: 'list@bench.example', subject: 'bench', messageId: messageId(n), date: new Date('2026-11-01T12:00:00Z'), text }),
    digest: (n) => sha256(head(n), text),
  };
};

/** One large body out of a block that comes again and again. `mail(n).raw` is a function that gives an async iterable. */
const large = (block) => ({ bytes, recipients, binary }) => {
  const to = Array.from({ length: recipients }, (_, index) => `r${index}@bench.example`);
  const blocks = Math.ceil(bytes / block.length);
  async function* raw() {
    for (let count = 0; count < blocks; count += 1) yield block;
  }
  // RFC 5321 section 2.3.8: lines end with CRLF, unless the content went as it is (RFC 3030 BINARYMIME).
  const canonical = Buffer.from(block.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'), 'latin1');
  return {
    mail: (n) => ({ envelope: { from: sender(n), to }, raw, ...(binary && { binary }) }),
    digest: (_, untouched) => sha256(...Array.from({ length: blocks }, () => (untouched ? block : canonical))),
  };
};

const blockOf = (line) => Buffer.from(Array.from({ length: 860 }, (_, index) => line(index)).join(''), 'latin1');

/** The sender carries the number too: envelope and content must arrive as a pair. */
const sender = (n) => `m${n}@bench.example`;

const KINDS = {
  small,
  composed,
  // Every line is complete.
  lines: large(blockOf(() => `${'x'.repeat(LINE)}\r\n`)),
  // One line in eight begins with a dot, one in five ends with a bare LF, and a block ends where a dot follows.
  nasty: large(blockOf((index) => `${index % 8 === 0 ? '.' : 'x'}${'y'.repeat(LINE - 1)}${index % 5 === 4 ? '\n' : '\r\n'}`)),
};

/** One mail that is measured in MB. */
export const isLarge = ({ kind } = {}) => kind === 'lines' || kind === 'nasty';

/** @returns {{ mail(n: number): { envelope: object, raw?: unknown, binary?: boolean }, digest(n: number, untouched?: boolean): string }} */
export const content = ({ kind = 'small', bytes = 2048, recipients = 1, binary } = {}) => KINDS[kind]({ bytes, recipients, binary });

/** The number in an address of `sender`. */
export const numberOf = (address) => Number(/^m(\d+)@/.exec(address)?.[1] ?? NaN);
