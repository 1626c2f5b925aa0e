// What arrived, held against what should have: every body by its hash, paired with its sender.
import { content, numberOf } from '../content.mjs';

export class Inbox {
  /** @type {{ sender: string, recipients: number, digest: string, untouched: boolean }[]} */
  #arrived = [];
  #breaches = new Set();
  /** How often the server had answered everything and had to wait for the client: round trips, if all were far apart. */
  waits = 0;

  keep(mail) {
    this.#arrived.push(mail);
  }

  /** The client did what EHLO did not offer. */
  breach(text) {
    this.#breaches.add(text);
  }

  /** What is wrong with it; empty if everything is right. */
  faults({ mails, content: description }) {
    const { digest } = content(description);
    const { recipients = 1 } = description;
    const times = new Array(mails).fill(0);
    const faults = new Map();
    const add = (fault) => faults.set(fault, (faults.get(fault) ?? 0) + 1);
    for (const mail of this.#arrived) {
      const n = numberOf(mail.sender);
      if (!(n < mails)) { add('from a sender that none has'); continue; }
      times[n] += 1;
      if (mail.digest !== digest(n, mail.untouched)) add('changed on the way, or with the sender of another');
      if (mail.recipients !== recipients) add('with too few or too many recipients');
    }
    for (const count of times) if (count !== 1) add(count === 0 ? 'lost' : 'delivered more than once');
    return [...[...faults].map(([fault, count]) => `${count} of ${mails} mails ${fault}`), ...this.#breaches];
  }
}
