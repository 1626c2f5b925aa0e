import { usage } from '../message/fields.js';

// A name of 253 (RFC 1035 section 2.3.4), whose characters may be percent-encoded, and a port.
const LONGEST_HOST = 1024;

/** Reads a URL as strictly as it was meant. `what` names it in errors, which never show it. */
export const parseUrl = (text: unknown, form: string, what = 'The URL'): URL => {
  if (typeof text !== 'string') throw usage(`${what} must be a string of the form ${form}.`);
  // The parser would take these out, or for a slash, without a word.
  if (/[\u0000-\u0020\u007f\\]|\p{Cs}/u.test(text)) throw usage(`${what} holds a blank, control character, backslash or half a character. Remove it, or percent-encode it in user and password.`);
  if (text.includes('${')) throw usage(`${what} holds a "\${": no URL is searched for the \${NAME} of a variable, only JSON and XML are. Write %24%7B where "\${" itself is meant.`);
  const behindScheme = text.slice(text.indexOf('://') + 3);
  const authority = behindScheme.split(/[/?#]/, 1)[0] ?? '';
  if (behindScheme.split('@').length > 2) throw usage(`${what} has more than one "@". Write %40 for each but the one in front of its host.`);
  if (behindScheme.includes('@') && !authority.includes('@')) throw usage(`${what} has an "@" behind a "/", "?" or "#". Write %2F, %3F and %23 for those in user and password, and %40 for an "@" in its query.`);
  // What follows would take quadratic time.
  if (authority.slice(authority.indexOf('@') + 1).length > LONGEST_HOST) throw usage(`${what} has a host of more than ${LONGEST_HOST} characters. No name is that long.`);
  const hint = !text.includes('://') ? '' : URL.canParse(text) ? undefined : hintAt(authority);
  if (hint !== undefined) throw usage(`${what} cannot be read${hint}. It must have the form ${form}, with special characters of user and password percent-encoded.`);
  return new URL(text);
};

/** Why it cannot be read, as far as host and port tell. */
const hintAt = (authority: string): string => {
  if (/\[([^[\]@]*)\](?:$|:)/.exec(authority)?.[1]?.includes('%') === true) return ': an address with a zone, as in "fe80::1%eth0", cannot stand in a URL, only in the option "host"';
  if (/(?:^|@)[^[\]@]*:[^[\]@]*:[^[\]@]*$/.test(authority)) return ': an IPv6 address must be in brackets';
  const port = /:([^:\]@]*)$/.exec(authority)?.[1] ?? '';
  return /^\d*$/.test(port) && Number(port) <= 65_535 ? '' : ': its port must be a number, 1 to 65535';
};

export const decode = (text: string, part: string, what = 'The URL'): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage(`${what} has a ${part} with a "%" that begins no encoded character; write %25.`);
  }
};
