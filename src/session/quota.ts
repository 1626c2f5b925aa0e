import type { CheckedRecipient } from '../message/envelope.js';
import { domainOf } from '../protocol/address.js';
import type { Limits } from '../protocol/capabilities.js';

/** What a server that tells its limits (RFC 9422) still takes in one session. */
export class Quota {
  readonly #mails: number;
  readonly #recipients: number;
  readonly #mostDomains: number;
  /** The domains of all recipients that were named in this session. */
  readonly #domains = new Set<string>();

  constructor({ mails = Infinity, recipients = Infinity, domains = Infinity }: Limits) {
    this.#mails = mails;
    this.#recipients = recipients;
    this.#mostDomains = domains;
  }

  /** After so many mails it takes none any more, or no domain that is new. */
  isUsedUp(mails: number): boolean {
    return mails >= this.#mails || this.#domains.size >= this.#mostDomains;
  }

  /** Those of the recipients that fit into the next transaction: at least one, unless it is used up. */
  fitting(recipients: readonly CheckedRecipient[]): readonly CheckedRecipient[] {
    if (this.#mostDomains === Infinity) return recipients.length <= this.#recipients ? recipients : recipients.slice(0, this.#recipients);
    const domains = new Set(this.#domains);
    const chosen: CheckedRecipient[] = [];
    for (const recipient of recipients) {
      if (chosen.length === this.#recipients) break;
      const domain = domainOf(recipient.mailbox);
      if (!domains.has(domain) && domains.size >= this.#mostDomains) continue;
      domains.add(domain);
      chosen.push(recipient);
    }
    return chosen;
  }

  /** They are told to the server. */
  named(recipients: readonly CheckedRecipient[]): void {
    if (this.#mostDomains !== Infinity) for (const { mailbox } of recipients) this.#domains.add(domainOf(mailbox));
  }
}
