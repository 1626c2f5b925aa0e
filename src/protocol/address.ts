import { domainToASCII, domainToUnicode } from 'node:url';
import { SmtpUsageError } from './error.js';

/** One address as it goes into MAIL or RCPT. */
export interface Mailbox {
  /** What stands between `<` and `>`: the local part as it was given, and the domain in lower case and A-labels (RFC 5890). */
  readonly path: string;
  /** The local part needs SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean;
}

/** The domain of an address; a literal with its brackets, and empty for `Postmaster`. */
export const domainOf = ({ path }: Mailbox): string => {
  const at = path.lastIndexOf('@');
  return at < 0 ? '' : path.slice(at + 1);
};

type Refuse = (why: string) => never;

// RFC 5321 section 4.5.3.1, in octets; the path without its angle brackets.
export const LOCAL_LIMIT = 64;
const DOMAIN_LIMIT = 255;
const PATH_LIMIT = 256 - 2;
const TOO_LONG = `is longer than the ${String(PATH_LIMIT)} bytes that a path may have. Shorten it.`;

// Nothing of this may stand in an address, quoted or not: it could end a command, or is not seen. The two joiners are part of some scripts.
const holdsForbidden = (text: string): boolean => /(?![ \u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{DI}]/u.test(text);
const FORBIDDEN = 'holds a line break, a control or an invisible character. Remove it.';
const NON_ASCII = /[^\u0000-\u007f]/;
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}.-]*/u;
// What nearly every address looks like: a Dot-string and a name in lower case that no reader could take for anything else.
const PLAIN = /^(?=.{1,64}@)[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:(?!xn--)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?!xn--)[a-z](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
// What the URL standard takes for an IPv4 address, and with it whoever reads hosts its way: they would send it elsewhere.
const ENDS_IN_A_NUMBER = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
/** Of a domain, in lower case. RFC 1123 section 2.1, and underscores, which are in use. */
export const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** An IPv4 address as RFC 5321 section 4.1.3 writes it: no octet with a zero in front, which others read as octal. */
export const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/**
 * One Mailbox of RFC 5321 section 4.1.2, and nothing that another reader could read otherwise: no display name, comment,
 * source route or second address. `what` names the place in the options; the text itself is never repeated.
 */
export const parseMailbox = (text: string, what: string | (() => string), role: 'sender' | 'recipient' = 'recipient', mostLocal = LOCAL_LIMIT): Mailbox =>
  text.length <= PATH_LIMIT && PLAIN.test(text) ? { path: text, utf8: false } : parseAny(text, what, role, mostLocal);

const parseAny = (text: string, what: string | (() => string), role: 'sender' | 'recipient', mostLocal: number): Mailbox => {
  const refuse: Refuse = (why) => {
    throw new SmtpUsageError({ message: `The field "${typeof what === 'string' ? what : what()}" ${why}` });
  };
  if (text === '') refuse('is empty. Give an address such as "ann@example.com".');
  if (holdsForbidden(text)) refuse(FORBIDDEN);
  if (Buffer.byteLength(text) > 2 * PATH_LIMIT) refuse(TOO_LONG);
  // RFC 5321 section 4.1.1.3: the one recipient that needs no domain.
  if (role === 'recipient' && /^postmaster$/i.test(text)) return { path: text, utf8: false };
  const end = text.startsWith('"') ? quotedEnd(text, refuse) : dotStringEnd(text, refuse);
  const local = text.slice(0, end);
  if (text[end] !== '@') refuse(behindLocalPart(text[end], text));
  const behind = text[end + 1] === '[' ? undefined : /[\s<>(),;]/.exec(text.slice(end))?.[0];
  if (behind !== undefined) refuse(behindLocalPart(behind, text));
  if (Buffer.byteLength(local) > mostLocal) refuse(`has more than ${String(mostLocal)} bytes before its "@", which not every server takes. Shorten it, or set "envelope.longLocalParts".`);
  const domain = parseDomain(text.slice(end + 1), refuse);
  if (ENDS_IN_A_NUMBER.test(domain)) refuse('has a domain that ends in a number, which others read as an IP address. Correct it.');
  const path = `${local}@${domain}`;
  if (Buffer.byteLength(path) > PATH_LIMIT) refuse(TOO_LONG);
  return { path, utf8: NON_ASCII.test(local) };
};

/** The argument of EHLO (RFC 5321 section 4.1.4): a domain, or an address literal. */
export const parseClientName = (text: string): string => {
  const refuse: Refuse = (why) => {
    throw new SmtpUsageError({ message: `The option "clientName" ${why}` });
  };
  if (holdsForbidden(text)) refuse(FORBIDDEN);
  return parseDomain(text, refuse);
};

/** The encoding of what is foreign to ESMTP values (RFC 3461 section 4); what is not ASCII goes as its UTF-8. */
export const xtext = (value: string): string =>
  Array.from(Buffer.from(value, 'utf8'), (byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x2b && byte !== 0x3d ? String.fromCharCode(byte) : `+${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** Where a Quoted-string ends. Only printable ASCII may stand behind a backslash. */
const quotedEnd = (text: string, refuse: Refuse): number => {
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '"') return at + 1;
    if (text[at] === '\\' && NON_ASCII.test(text[at += 1] ?? '')) refuse('escapes a character in its quoted part that is not ASCII. Remove the backslash.');
  }
  return refuse('has a quotation mark that is never closed. Close it, or remove it.');
};

/** Where a Dot-string ends. */
const dotStringEnd = (text: string, refuse: Refuse): number => {
  const [local = ''] = DOT_STRING.exec(text) ?? [];
  if (local === '') refuse(text.startsWith('@') ? 'starts with "@". Give one address, without a source route.' : behindLocalPart(text[0], text));
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) refuse('has a dot at an edge of its local part, or two in a row. Remove it, or quote the local part.');
  return local.length;
};

const behindLocalPart = (character: string | undefined, text: string): string => {
  const at = text.indexOf('@');
  if (character === undefined || at < 0) return 'has no "@". Give an address such as "ann@example.com".';
  switch (character) {
    case '<': case '>': case ' ': return 'holds a space or an angle bracket. Give the address alone, without a display name.';
    case '(': case ')': return 'holds a comment. Give the address alone.';
    case ',': case ';': return at === text.lastIndexOf('@') ? 'holds a comma or semicolon. Remove it, or write a dot.' : 'holds more than one address. Give a list of them.';
    case ':': return 'holds a source route, a group or a scheme. Give the address alone.';
    default: return 'holds a character that must be quoted before its "@". Give an address such as "ann@example.com".';
  }
};

const parseDomain = (text: string, refuse: Refuse): string => {
  if (text.startsWith('[')) return parseLiteral(text, refuse);
  if (IPV4.test(text)) refuse(`has a bare IP address as its domain. Put it in brackets: "[${text}]".`);
  if (text.endsWith('.')) refuse('ends with a dot. Remove it.');
  const domain = NON_ASCII.test(text) ? toALabels(text, refuse) : text.toLowerCase();
  if (/(?:^|\.)xn--/.test(domain) && domainToUnicode(domain) === '') refuse('has a label "xn--" that stands for no name. Correct it.');
  if (!domain.split('.').every((label) => LABEL.test(label))) refuse('has no valid domain: labels of letters, digits and hyphens, such as "mail.example.com". Correct it.');
  if (domain.length > DOMAIN_LIMIT) refuse(`has a domain of more than ${String(DOMAIN_LIMIT)} bytes. Shorten it.`);
  return domain;
};

// Looks like a K, and becomes one in lower case as well.
const KELVIN = '\u212a';

/** What maps to another name than the one that is seen (full-width letters, ignored characters, other dots) is refused. */
const toALabels = (text: string, refuse: Refuse): string => {
  const ascii = text.length > DOMAIN_LIMIT || text.includes(KELVIN) ? '' : domainToASCII(text);
  if (ascii === '' || domainToUnicode(ascii) !== text.toLowerCase().normalize('NFC')) refuse('has an international domain that stands for another name, or for none. Give its "xn--" form.');
  return ascii;
};

/** RFC 5321 section 4.1.3. */
const parseLiteral = (text: string, refuse: Refuse): string => {
  const [, tag = '', address = ''] = /^\[(IPv6:)?([0-9A-Fa-f:.]{2,45})\]$/i.exec(text) ?? [];
  // The parser of URLs knows all forms of IPv6 addresses, and nothing else gets to it.
  const isValid = tag === '' ? IPV4.test(address) : URL.canParse(`http://[${address}]/`);
  return isValid ? `[${tag === '' ? '' : 'IPv6:'}${address.toLowerCase()}]` : refuse('has no valid address literal. Write it as "[192.0.2.1]" or "[IPv6:2001:db8::1]".');
};
