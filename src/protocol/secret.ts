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
 * Knows each secret as it was typed, in base64, percent-encoded and as it went over the wire.
 */
export class Redactor {
  readonly #forms = new Set<string>();

  conceal(secret: string): void {
    const forms = [secret, Buffer.from(secret, 'utf8').toString('base64'), encodeURIComponent(secret)];
    // A form of one or two characters would take ordinary text apart and hide nothing.
    for (const form of forms) if (form.length > 2) this.#forms.add(form);
  }

  clean(text: string): string {
    let cleaned = text;
    for (const form of this.#forms) if (cleaned.includes(form)) cleaned = cleaned.replaceAll(form, HIDDEN);
    return cleaned;
  }
}
