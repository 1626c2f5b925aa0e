import type { Reply } from './reply.js';
import { HIDDEN } from './secret.js';

/** The server's name for an accepted mail, where its reply to the end of data tells one in a form that is in use. None that a short password has left a hole in. */
export const queueId = (reply: Reply): string | undefined => {
  const text = reply.lines.join(' ');
  for (const form of QUEUE_IDS) {
    const id = form.exec(text)?.[1];
    if (id !== undefined && !WORD.test(id) && !id.includes(HIDDEN)) return id;
  }
  return undefined;
};

// `queued as freedom` is said of each mail, and `message id missing` of none.
const WORD = /^(?:[A-Za-z][a-z]+|[A-Z]+)$/;

const QUEUE_IDS = [
  // Postfix, Exim, OpenSMTPD and many more; Yandex names the host before it.
  /(?:queued as|\bid=|\bqueued (?:with )?id|\bmessage id|\bmsgid|queued on [\w-]+(?:\.[\w-]+)+(?: as)?)[ :=]*<?([\w+/-][^\s<>()[\]"';]{1,126}[^\s<>()[\]"';.,:!])[.,:!]{0,3}(?![^\s<>()[\]"';])/i,
  // sendmail: `2.0.0 4AB1c2d3012345 Message accepted for delivery`; others write `mail`, or have `-` in it.
  /^(?:2\.\d\.\d )?([\w-]{8,40}) (?:message|mail) accepted for delivery/i,
  // Gmail: `2.0.0 OK  1700000000 a1b2c3-d4.123 - gsmtp`.
  /\bOK +\d{9,11} ([A-Za-z0-9][A-Za-z0-9_.-]{5,63}) - gsmtp/,
  // Exchange: `2.6.0 <message-id> [InternalId=1234, Hostname=...] Queued mail for delivery`.
  /\[InternalId=(\d{1,20})[,\]]/,
  // qmail: `ok 1700000000 qp 12345`.
  /\bok \d{9,11} qp (\d{1,10})(?![\w*])/,
  // Amazon SES: `Ok 0102018c1234abcd-...-000000`.
  /^(?:2\.\d\.\d )?Ok ([0-9a-f]{16}-[0-9a-f-]{20,60})$/,
  // Haraka: `Message Queued (01234567-89AB-CDEF-0123-456789ABCDEF.1)`.
  /\bqueued \(([0-9a-f]{8}-[0-9a-f-]{27}(?:\.\d{1,4}){0,4})\)/i,
];
