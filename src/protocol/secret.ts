const HIDDEN = '***';

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
 * Knows each secret as it was typed, percent-encoded, and in base64 wherever it stands in what was encoded.
 */
export class Redactor {
  readonly #forms = new Set<string>();

  conceal(secret: string): void {
    const bytes = Buffer.from(secret, 'utf8');
    const forms = [secret, encodeURIComponent(secret), bytes.toString('base64'), ...OFFSETS.map((offset) => base64At(bytes, offset))];
    // A form of one or two characters would take ordinary text apart and hide nothing.
    for (const form of forms) if (form.length > 2) this.#forms.add(form);
  }

  clean(text: string): string {
    let cleaned = text;
    for (const form of this.#forms) if (cleaned.includes(form)) cleaned = cleaned.replaceAll(form, HIDDEN);
    return cleaned;
  }
}

// Three bytes become four characters, so text looks one of three ways in base64.
const OFFSETS = [0, 1, 2];

/** The characters that depend on `bytes` alone, where `offset` bytes of a group stand in front. */
const base64At = (bytes: Buffer, offset: number): string =>
  Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
