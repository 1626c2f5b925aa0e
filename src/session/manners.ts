/**
 * How far a server was found to bear pipelining, for all connections to it: announced is one thing, borne another. It only
 * ever gets more careful.
 */
export class Manners {
  /** A mail that was sent ahead was answered in its turn: until then a server may be one that throws away what waits in its input. */
  hasProven = false;
  #bears: 'mails' | 'groups' | 'commands' = 'mails';

  /** The next mail may be begun before the one before was answered. */
  get overlap(): boolean {
    return this.#bears === 'mails';
  }

  /** The commands of one mail may go out together. */
  get groups(): boolean {
    return this.#bears !== 'commands';
  }

  /** What was sent ahead was not answered in its turn: mails go one by one from now on, the commands of each still together. */
  lostCount(): void {
    if (this.#bears === 'mails') this.#bears = 'groups';
  }

  /** A mail that was sent ahead got no answer. Of a server that has proven itself, that says something about the line. */
  fellSilent(): void {
    if (!this.hasProven) this.lostCount();
  }

  /** The server turned something away, or lost count, that was sent ahead. */
  disappoint(): void {
    this.#bears = this.#bears === 'mails' ? 'groups' : 'commands';
  }
}
