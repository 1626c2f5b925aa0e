import type { Reply } from './reply.js';

const MOST = 16;
// Octets of what is said often: longer ones would let a server fill the memory.
const LONGEST = 1024;

/** What a server has said before: servers say the same few things again and again, and a reply never changes. */
export class KnownReplies {
  readonly #replies = new Map<string, Reply>();

  /** @param octets all of a reply, with its last CRLF. */
  read(octets: string): Reply | undefined {
    return this.#replies.get(octets);
  }

  remember(octets: string, reply: Reply): void {
    if (octets.length > LONGEST) return;
    if (this.#replies.size === MOST) this.#replies.clear();
    this.#replies.set(octets, reply);
  }
}
