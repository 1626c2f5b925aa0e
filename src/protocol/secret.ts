/** What stands for a secret. */
export const HIDDEN = '***';

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
