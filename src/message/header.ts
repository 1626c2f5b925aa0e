import { parseMailbox, type Mailbox } from '../protocol/address.js';
import { asBuffer } from '../protocol/as-buffer.js';
import type { SmtpUsageError } from '../protocol/error.js';
import { fields, isPlain, oneOrMore, unlike, usage } from './fields.js';

/** An address of a header field, ready to be written. */
export interface HeaderAddress {
  readonly name: string;
  readonly mailbox: Mailbox;
  /** The address as the caller wrote it. */
  readonly given: string;
}

export const wellFormed = (value: unknown, name: string): string => {
  if (typeof value !== 'string') throw unlike(`The field "${name}"`, 'a string', value);
  if (!value.isWellFormed()) throw usage(`The field "${name}" holds half a character (a lone surrogate). Text is cut between characters only.`);
  return value;
};

// RFC 5322 section 2.1.1: a line of 998 at most, and lines are broken at blanks only. What is not ASCII is encoded, in short words.
const UNBREAKABLE = /^(?=[\0-\x7f]*$).*(?<![!-~])[!-~]{900}/s;

// Where lines are folded, such a run could become a line of its own, which ends the header for some readers (RFC 5322 section 3.2.2).
const BLANK_LINE_TO_BE = /[ \t]{76}/;

/** Text that stays on the line of its header field. Refused, never repaired. */
export const headerText = (value: unknown, name: string): string => {
  const text = wellFormed(value, name);
  if (/[\r\n\0]/.test(text)) throw usage(`The field "${name}" holds a line break or NUL, which would end its header field. Remove it.`);
  if (BLANK_LINE_TO_BE.test(text)) throw usage(`The field "${name}" holds 76 blanks in a row or more, which no line of a header can hold. Leave one of them.`);
  if (UNBREAKABLE.test(text)) throw usage(`The field "${name}" holds a word of 900 characters or more, which no line of a header can hold. Shorten it, or part it with blanks.`);
  return text;
};

/** Text that ends its header field: where its last blanks are folded, they would be a line of their own. */
export const lastText = (value: unknown, name: string): string => headerText(value, name).trimEnd();

// What is behind them is shown from right to left, or the other way round: "invoice\u202efdp.exe" as "invoiceexe.pdf".
const OVERRIDE = /[\u202d\u202e]/;

/** Text that is written in quotation marks, where some of it counts twice. */
export const quotable = (value: unknown, name: string): string => {
  const text = headerText(value, name);
  if (OVERRIDE.test(text)) throw usage(`The field "${name}" holds a character that turns the order of what a reader sees (U+202D or U+202E). Remove it.`);
  headerText(text.replace(/["\\]/g, '\\$&'), name);
  return text;
};

/** `Name <user@example.com>`, `user@example.com` or the two apart. */
export const checkAddress = (value: unknown, name: string): HeaderAddress => {
  if (value === undefined) throw usage(`The field "${name}" is missing. Give an address such as "ann@example.com".`);
  if (typeof value !== 'string') {
    const { name: display, address } = fields(value, { path: name, noun: 'field', known: ['name', 'address'], or: 'with an "address", or a string such as "ann@example.com"' });
    return headerAddress(display === undefined ? '' : quotable(display, `${name}.name`), headerText(address, `${name}.address`), `${name}.address`);
  }
  const { display, address } = apart(value, name);
  return headerAddress(quotable(display, name), address, name);
};

/** The display name and the address of `Name <user@example.com>` or `user@example.com`. What the address is worth is for others to check. */
export const apart = (value: string, name: string): { readonly display: string; readonly address: string } => {
  const text = headerText(value, name).trim();
  const open = text.endsWith('>') ? text.lastIndexOf('<') : -1;
  if (open === -1) {
    if (!text.startsWith('"') && LIST.test(text)) throw several(name);
    if (text.lastIndexOf('<') > text.lastIndexOf('"')) throw usage(`The field "${name}" must end with its address in angle brackets, as in "Ann <ann@example.com>".`);
    return { display: '', address: text };
  }
  const display = text.slice(0, open).trim();
  if (!QUOTED.test(display) && SEVERAL.test(display)) throw several(name);
  return { display: unquote(display), address: text.slice(open + 1, -1) };
};

const several = (name: string): SmtpUsageError => usage(`The field "${name}" holds more than one address. Give a list of them; or quote the name, if it is one.`);

const QUOTED = /^"(?:[^"\\]|\\.)*"$/;

// What looks like an address and more: taken for a name, it would lose a recipient without a word.
const SEVERAL = /[<>]|^[^@]*@.*[,;]/s;
// The same of an address alone; a quoted local part may hold anything.
const LIST = /^[^@]*@[^,;]*[,;][^@]*@/;

export const checkAddresses = (value: unknown, name: string): readonly HeaderAddress[] => (value === undefined ? [] : oneOrMore(checkAddress)(value, name));

const headerAddress = (name: string, given: string, what: string): HeaderAddress => {
  // How long a local part may be concerns those that the server is told.
  const mailbox = parseMailbox(given, what, 'sender', Infinity);
  // The composer drops them even there.
  if (/[<>]/.test(mailbox.path)) throw usage(`The field "${what}" holds an angle bracket in its quoted part, which no header of a composed message can hold. Give another address, or send the message as "raw".`);
  // Blanks alone would be a line of their own, as above.
  return { name: name.trim() === '' ? '' : name, given, mailbox };
};

/** RFC 5322 section 3.2.5: a phrase is made of words, each of which may be quoted. What has a quotation mark inside is no such word: `27" Shop`. */
const unquote = (text: string): string => text.replace(/(?<![^ \t])"((?:[^"\\]|\\.)*)"(?![^ \t])/g, (_quoted, words: string) => words.replace(/\\(.)/g, '$1'));

/** A header field as the composer takes it: prepared, it is folded and else written as it is. */
interface HeaderField {
  readonly key: string;
  readonly value: string | { readonly prepared: true; readonly foldLines: true; readonly value: string };
}

/** What the fields of a message or an attachment write. */
const WRITTEN: ReadonlySet<string> = new Set([
  'from', 'sender', 'to', 'cc', 'bcc', 'resent-bcc', 'reply-to', 'subject', 'message-id', 'in-reply-to', 'references', 'date', 'mime-version',
  'content-type', 'content-disposition', 'content-transfer-encoding', 'content-id',
]);

/** One field per value, in order. */
export const checkHeaders = (value: unknown, path: string): readonly HeaderField[] => {
  if (value === undefined) return [];
  if (!isPlain(value)) throw usage(`The field "${path}" must be a plain object of names and values.`);
  return Object.entries(value).flatMap(([key, given]: [string, unknown], index) => {
    // RFC 5322 section 3.6.8: printable ASCII but the colon.
    if (!/^[!-9;-~]{1,76}$/.test(key)) throw usage(`Name ${String(index + 1)} in the field "${path}" is no header field name.`);
    if (WRITTEN.has(key.toLowerCase())) throw usage(`The header field "${key}" does not belong in "${path}": there is a field of its own for it, or it is written anyway.`);
    const values: readonly unknown[] = Array.isArray(given) ? given : given === undefined ? [] : [given];
    return values.map((one) => ({ key, value: fieldValue(key, lastText(one, `${path}.${key}`), `${path}.${key}`) }));
  });
};

const WITH_ADDRESSES = /^(?:disposition-notification-to|return-receipt-to|errors-to|mail-(?:followup|reply)-to|resent-(?:from|sender|to|cc|reply-to)|list-(?:id|(?:un)?subscribe|unsubscribe-post|help|archive|owner|post))$/i;

/** The composer encodes as a whole what is not ASCII, and no address would be found in it; what holds a quotation mark as well, unless it is prepared. */
const fieldValue = (key: string, value: string, name: string): HeaderField['value'] => {
  if (value === '') throw usage(`The field "${name}" is empty, and would not be written. Give it a value, or leave it out.`);
  if (/^[\t -~]*$/.test(value)) return { prepared: true, foldLines: true, value };
  if (WITH_ADDRESSES.test(key)) throw usage(`The field "${name}" holds what is not printable ASCII beside an address. Give a name as an encoded word (RFC 2047), and a URL percent-encoded; or leave it out.`);
  return value;
};

/** Identifiers of other messages (RFC 5322 section 3.6.4), as they stood there: other programs make them of anything. An empty list is none. */
export const checkForeignIds = (value: unknown, name: string): readonly string[] => {
  const texts = oneOrMore(headerText)(value, name);
  const ids = texts.flatMap((text) => text.match(/<[^<>]*>|[^<>\s]+/g) ?? []).map((id) => (id.startsWith('<') ? id : `<${id}>`));
  if ((texts.length > 0 && ids.length === 0) || !ids.every((id) => /^<[ -;=?-~]{1,900}>$/.test(id))) throw usage(`The field "${name}" must hold message identifiers in ASCII, as in "<id@example.com>".`);
  return ids;
};

/** The composer drops blanks inside them. */
export const checkReferences = (value: unknown, name: string): readonly string[] => {
  const ids = checkForeignIds(value, name);
  if (ids.some((id) => id.includes(' '))) throw usage(`The field "${name}" holds an identifier with a blank in it, which would be lost. Leave that one out.`);
  return ids;
};

/** RFC 5322 section 3.6.4, put into its brackets. */
export const checkMessageId = (value: unknown, name: string): string => {
  const id = headerText(value, name).replace(/^<(.*)>$/, '$1');
  if (!/^[!-;=?-~]+@[!-;=?-~]+$/.test(id) || id.length > 900) throw usage(`The field "${name}" must be a message identifier in ASCII, as in "<id@example.com>".`);
  return `<${id}>`;
};

// A header field seldom stands deeper than this, and a body is not to be searched.
const SEARCHED = 64 * 1024;

/** The Message-ID in the header section of a finished message. */
export const findMessageId = (raw: string | Uint8Array): string | undefined => {
  const start = typeof raw === 'string' ? raw.slice(0, SEARCHED) : headerOf(asBuffer(raw));
  const end = /(?:^|\n)\r?\n/.exec(start)?.index ?? start.length;
  const field = /^message-id[ \t]*:(.*(?:\r?\n[ \t].*)*)/im.exec(start.slice(0, end))?.[1];
  return field === undefined ? undefined : /<[^<>\s]+>/.exec(field)?.[0];
};

const BLANK_LINE = Buffer.from('\r\n\r\n');

// The body is not worth decoding.
const headerOf = (bytes: Buffer): string => {
  const blank = bytes.indexOf(BLANK_LINE);
  return bytes.toString('utf8', 0, blank < 0 ? SEARCHED : Math.min(blank + BLANK_LINE.length, SEARCHED));
};
