import { printable } from './printable.js';
import { HIDDEN, type Secret } from './secret.js';

// A form of one or two characters would take ordinary text apart and hide nothing. So would one that is a piece of the words that
// the protocol itself is made of: a server that said ***STARTTLS*** would be taken for one without TLS.
const SHORTEST = 3;
const OWN_WORDS = [
  '8BITMIME AUTH BINARYMIME CHUNKING DSN ENHANCEDSTATUSCODES LIMITS MAILMAX PIPELINING RCPTDOMAINMAX RCPTMAX REQUIRETLS SIZE SMTPUTF8 STARTTLS',
  'CRAM-MD5 DIGEST-MD5 EXTERNAL LOGIN NTLM OAUTHBEARER PLAIN SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512-PLUS XOAUTH2',
].join(' ');

const isHiding = (form: string): boolean => form.length >= SHORTEST && !OWN_WORDS.includes(form.toUpperCase());

/** One way in which a secret is written. */
interface Form {
  readonly whole: string;
  /** So much of it tells that the rest is it, too, however short it was cut. */
  readonly beginning: string;
}

/**
 * Takes known secrets out of a peer's text: some servers echo a credential in the reply that refuses it.
 * Knows each secret as it was typed, with its octets read as others read them, percent-encoded in the usual ways, escaped as in
 * JSON, and in base64 and its form for URLs wherever it stands in what was encoded.
 */
export class Redactor {
  /** AUTH has begun: from now on a reply may repeat what was said, also cut short. Before that, what a server says is its own. */
  mayMeetEchoes = false;
  #forms: readonly Form[] = [];

  conceal(secret: string | Secret): void {
    this.#add(typeof secret === 'string' ? formsOf(secret) : knownForms(secret));
  }

  /** As it is written here, and in no other form. */
  concealAsWritten(text: string): void {
    if (isHiding(text)) this.#add([formOf(text)]);
  }

  /** The same, and only all of it: its beginning may be anything, a name say. */
  concealExactly(text: string): void {
    if (isHiding(text)) this.#add([{ whole: text, beginning: text }]);
  }

  clean(text: string): string {
    const runs = this.#forms.flatMap(({ whole, beginning }) => {
      const start = this.mayMeetEchoes ? beginning : whole;
      return text.includes(start) ? [...runsOf(text, whole, whole), ...runsOf(text, whole, start)] : NONE;
    });
    return runs.length === 0 ? text : without(text, runs);
  }

  /** The lines of a reply. A secret that goes on in the next line, which may be indented, is in none of them, and hides them all. */
  cleanLines(lines: readonly string[]): readonly string[] {
    const cleaned = lines.map((line) => this.clean(line));
    const goesOn = (join: Join): boolean => this.clean(join(lines)) !== join(cleaned);
    return lines.length > 1 && (goesOn(joined) || goesOn(joinedTight)) ? lines.map(() => HIDDEN) : cleaned;
  }

  // Most connections have one secret, and take the forms of it as they are.
  #add(forms: readonly Form[]): void {
    this.#forms = this.#forms.length === 0 ? forms : [...this.#forms, ...forms];
  }
}

/** From where to where a text is to be hidden. */
type Run = readonly [from: number, to: number];

const NONE: readonly Run[] = [];

/** Where a form begins in a text, and how far the text goes along with it. */
const runsOf = (text: string, whole: string, beginning: string): readonly Run[] => {
  const runs: Run[] = [];
  for (let from = text.indexOf(beginning); from >= 0;) {
    let to = from + beginning.length;
    while (to < text.length && text[to] === whole[to - from]) to += 1;
    runs.push([from, to]);
    from = text.indexOf(beginning, to);
  }
  return runs;
};

/** Runs that overlap go together: where a part went first, the rest would stay behind, and tell something of it. */
const without = (text: string, runs: readonly Run[]): string => {
  let rest = '';
  let end = 0;
  for (const [from, to] of runs.toSorted(([one], [other]) => one - other)) {
    if (from >= end) rest += text.slice(end, from) + HIDDEN;
    end = Math.max(end, to);
  }
  return rest + text.slice(end);
};

type Join = (lines: readonly string[]) => string;

// RFC 2034 section 4: each line may begin with it.
const STATUS = /^[245]\.\d{1,3}\.\d{1,3} /;

/** As one text, without their status. */
const joined: Join = (lines) => lines.map((line) => line.replace(STATUS, '')).join('');

/** And without the blanks around each line. */
const joinedTight: Join = (lines) => lines.map((line) => line.trim().replace(STATUS, '').trimStart()).join('');

/** A client's own secret is concealed on each of its connections. */
const knownForms = (secret: Secret): readonly Form[] => {
  const forms = known.get(secret) ?? formsOf(secret.reveal());
  known.set(secret, forms);
  return forms;
};

const known = new WeakMap<Secret, readonly Form[]>();

const formsOf = (secret: string): readonly Form[] => {
  const padded = Buffer.from(`\0\0${secret}`, 'utf8');
  const base64 = [padded.toString('base64', 2), base64At(padded, 0), base64At(padded, 1), base64At(padded, 2)];
  const written = [secret, padded.toString('latin1', 2), ...percentEncoded(secret), ...jsonEscaped(secret), ...base64, ...base64.map(forUrls)];
  // A reply may hold it as it came or as it is shown.
  return [...new Set(written.flatMap((form) => [form, printable(form)]))].filter(isHiding).map(formOf);
};

// Shorter than this, a beginning may be that of an ordinary word.
const TELLING = 12;

const formOf = (whole: string): Form => {
  const beginning = whole.slice(0, TELLING);
  return { whole, beginning: isHiding(beginning) ? beginning : whole };
};

/** RFC 4648 section 5. */
const forUrls = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/** As URLs, forms and other languages write it. */
const percentEncoded = (secret: string): readonly string[] => {
  const plain = encodeURIComponent(secret);
  const strict = plain.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return [plain, strict, strict.replaceAll('%20', '+')].flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
};

/** RFC 8259 section 7. Some escape all that is no ASCII (Python, Java, .NET), some the slash, too (PHP). */
const jsonEscaped = (secret: string): readonly string[] => {
  const plain = JSON.stringify(secret).slice(1, -1);
  const ascii = plain.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [plain, ascii, ascii.replace(/(?<=\\u)[0-9a-f]{4}/g, (code) => code.toUpperCase())].flatMap((form) => [form, form.replaceAll('/', '\\/')]);
};

/**
 * Three bytes become four characters, so text looks one of three ways in base64. These are the characters that depend on the
 * secret alone, where `offset` bytes of a group stand in front of it. @param padded the secret behind two bytes.
 */
const base64At = (padded: Buffer, offset: number): string =>
  padded.toString('base64', 2 - offset).slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + padded.length - 2) * 8) / 6));
