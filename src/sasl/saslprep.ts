import { SmtpUsageError } from '../protocol/error.js';

// RFC 3454 table C.1.2: mapped to a space, the one of no width too, which table B.1 has as well: others look here first.
const SPACE = /[\p{Zs}\u200b]/gu;
// Table B.1: mapped to nothing.
const NOTHING = /[\u00ad\u1806\u200c-\u200d\u2060\ufeff]|\u034f|[\u180b-\u180d]|[\ufe00-\ufe0f]/gu;
// Tables C.2 to C.9: controls, private use, non-characters, surrogates, what changes the display or the plain text.
const holdsProhibited = (text: string): boolean => /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u0340\u0341\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2060-\u2063\u2066-\u206f\u2ff0-\u2ffb\ufeff\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u.test(text);
// Table D.1: letters that are written from right to left.
const RIGHT_TO_LEFT = /[\u05be\u05c0\u05c3\u05d0-\u05ea\u05f0-\u05f4\u061b\u061f\u0621-\u063a\u0640-\u064a\u066d-\u066f\u0671-\u06d5\u06dd\u06e5\u06e6\u06fa-\u06fe\u0700-\u070d\u0710\u0712-\u072c\u0780-\u07a5\u07b1\u200f\ufb1d\ufb1f-\ufb28\ufb2a-\ufb36\ufb38-\ufb3c\ufb3e\ufb40\ufb41\ufb43\ufb44\ufb46-\ufbb1\ufbd3-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfc\ufe70-\ufe74\ufe76-\ufefc]/u;

/**
 * SASLprep (RFC 4013): different ways to type the same word become one. As for a query, which may hold code points that
 * Unicode 3.2 did not know. `what` names the text in errors, which never show it.
 */
export const saslPrep = (text: string, what: string): string => {
  const prepared = text.replace(SPACE, ' ').replace(NOTHING, '').normalize('NFKC');
  const refuse = (why: string): never => {
    throw new SmtpUsageError({ phase: 'auth', message: `${what} ${why} (SASLprep, RFC 4013). Change it, or allow other mechanisms than SCRAM with "allowedAuthentication" where the server offers them.` });
  };
  if (prepared === '') refuse('holds nothing that counts');
  if (holdsProhibited(prepared)) refuse('holds a control or another character that SCRAM forbids');
  // RFC 3454 section 6: then no other letters, and at both ends one of these.
  const others = prepared.split(RIGHT_TO_LEFT);
  if (others.length > 1 && (others[0] !== '' || others.at(-1) !== '' || /\p{L}/u.test(others.join('')))) refuse('mixes writing from right to left with other characters');
  return prepared;
};

/** What SASLprep does to a user and a password: nothing, mostly. */
export type Preparation = 'keeps' | 'changes' | 'refuses';

export const preparationOf = (...texts: readonly string[]): Preparation => {
  // Nearly all are ASCII, and need none of Unicode's tables, which take a while to load.
  if (texts.every((text) => /^[ -~]+$/.test(text))) return 'keeps';
  try {
    const prepared = texts.map((text) => saslPrep(text, ''));
    return prepared.every((text, index) => text === texts[index]) ? 'keeps' : 'changes';
  } catch {
    return 'refuses';
  }
};
