/** What stands for a secret. */
export const HIDDEN = '***';
// A form of one or two characters would take ordinary text apart and hide nothing. So would one that is a piece of the words that
// the protocol itself is made of: a server that said ***STARTTLS*** would be taken for one without TLS.
const SHORTEST = 2;
const OWN_WORDS = [
  '8BITMIME AUTH BINARYMIME CHUNKING DSN ENHANCEDSTATUSCODES LIMITS MAILMAX PIPELINING RCPTDOMAINMAX RCPTMAX REQUIRETLS SIZE SMTPUTF8 STARTTLS',
  'CRAM-MD5 DIGEST-MD5 EXTERNAL LOGIN NTLM OAUTHBEARER PLAIN SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512-PLUS XOAUTH2',
].join(' ');

const isHiding = (form: string): boolean => form.length > SHORTEST && !OWN_WORDS.includes(form.toUpperCase());

/** A password or token that prints as `***` wherever it lands: string, JSON, `util.inspect`. Only `reveal()` tells it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}

/**
 * Takes known secrets out of a peer's text: some servers echo a credential in the reply that refuses it.
 * Knows each secret as it was typed, percent-encoded in the usual ways, escaped as in JSON, and in base64 and its form for URLs
 * wherever it stands in what was encoded.
 */
export class Redactor {
  #forms: readonly string[] = [];

  conceal(secret: string | Secret): void {
    this.#add(typeof secret === 'string' ? formsOf(secret) : knownForms(secret));
  }

  /** Just as it is written here, and in no other form. */
  concealExactly(text: string): void {
    if (isHiding(text)) this.#add([text]);
  }

  clean(text: string): string {
    let cleaned = text;
    for (const form of this.#forms) if (cleaned.includes(form)) cleaned = cleaned.replaceAll(form, HIDDEN);
    return cleaned;
  }

  // Most connections have one secret, and take the forms of it as they are.
  #add(forms: readonly string[]): void {
    this.#forms = this.#forms.length === 0 ? forms : longestFirst([...this.#forms, ...forms]);
  }
}

/** A client's own secret is concealed on each of its connections. */
const knownForms = (secret: Secret): readonly string[] => {
  const forms = known.get(secret) ?? formsOf(secret.reveal());
  known.set(secret, forms);
  return forms;
};

const known = new WeakMap<Secret, readonly string[]>();

const formsOf = (secret: string): readonly string[] => {
  const padded = Buffer.from(`\0\0${secret}`, 'utf8');
  const base64 = [padded.toString('base64', 2), base64At(padded, 0), base64At(padded, 1), base64At(padded, 2)];
  const forms = [secret, ...percentEncoded(secret), JSON.stringify(secret).slice(1, -1), ...base64, ...base64.map(forUrls)];
  return longestFirst(forms.filter(isHiding));
};

/** Where a part of a form went first, the rest of it would stay behind, and tell something of it. */
const longestFirst = (forms: readonly string[]): readonly string[] => [...new Set(forms)].sort((one, other) => other.length - one.length);

/** RFC 4648 section 5. */
const forUrls = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/** As URLs, forms and other languages write it. */
const percentEncoded = (secret: string): readonly string[] => {
  const plain = encodeURIComponent(secret);
  const strict = plain.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return [plain, strict, strict.replaceAll('%20', '+')].flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
};

/**
 * Three bytes become four characters, so text looks one of three ways in base64. These are the characters that depend on the
 * secret alone, where `offset` bytes of a group stand in front of it. @param padded the secret behind two bytes.
 */
const base64At = (padded: Buffer, offset: number): string =>
  padded.toString('base64', 2 - offset).slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + padded.length - 2) * 8) / 6));
