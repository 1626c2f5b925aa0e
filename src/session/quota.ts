import type { CheckedRecipient } from '../message/envelope.js';
import { domainOf } from '../protocol/address.js';
import type { Limits } from '../protocol/capabilities.js';

/** What a server that tells its limits (RFC 9422) still takes in one session. */
export class Quota {
  readonly #mostMails: number;
  readonly #mostRecipients: number;
  readonly #mostDomains: number;
  /** Transactions that the server was told of in this session, and the domains of all their recipients. */
  #mails = 0;
  readonly #domains = new Set<string>();

  constructor({ mails = Infinity, recipients = Infinity, domains = Infinity }: Limits) {
    this.#mostMails = mails;
    this.#mostRecipients = recipients;
    this.#mostDomains = domains;
  }

  /** It takes no further mail, or no domain that is new. */
  get isUsedUp(): boolean {
    return this.#mails >= this.#mostMails || this.#domains.size >= this.#mostDomains;
  }

  /** Those of the recipients that fit into the next transaction: at least one, unless it is used up. */
  fitting(recipients: readonly CheckedRecipient[]): readonly CheckedRecipient[] {
    if (this.#mostDomains === Infinity) return recipients.length <= this.#mostRecipients ? recipients : recipients.slice(0, this.#mostRecipients);
    const domains = new Set(this.#domains);
    const chosen: CheckedRecipient[] = [];
    for (const recipient of recipients) {
      if (chosen.length === this.#mostRecipients) break;
      const domain = domainOf(recipient.mailbox);
      if (!domains.has(domain) && domains.size >= this.#mostDomains) continue;
      domains.add(domain);
      chosen.push(recipient);
    }
    return chosen;
  }

  /** The server is told of a mail to these. */
  spend(recipients: readonly CheckedRecipient[]): void {
    this.#mails += 1;
    if (this.#mostDomains !== Infinity) for (const { mailbox } of recipients) this.#domains.add(domainOf(mailbox));
  }
}
