import type { Reply } from './reply.js';

const MOST = 16;
// Octets of what is said often: longer ones would let a server fill the memory.
const LONGEST = 1024;

/** A reply, and all of its octets, with its last CRLF. */
interface KnownReply {
  readonly octets: string;
  readonly reply: Reply;
}

/**
 * What a server has said before: servers say the same few things again and again, and a reply never changes. What is said often
 * moves to the front half; what is said once, such as the name of an accepted mail, comes behind that and pushes out others of its kind.
 */
export class KnownReplies {
  readonly #known: KnownReply[] = [];

  /** The one that begins there. */
  find(input: string, at: number): KnownReply | undefined {
    const known = this.#known;
    let place = 0;
    let found = known[place];
    // Not findIndex: each mail has several replies, and is to call no function for each reply that is known.
    while (found !== undefined && !input.startsWith(found.octets, at)) found = known[place += 1];
    const before = known[place - 1];
    if (found !== undefined && before !== undefined) {
      known[place - 1] = found;
      known[place] = before;
    }
    return found;
  }

  remember(octets: string, reply: Reply): void {
    if (octets.length > LONGEST) return;
    if (this.#known.length === MOST) this.#known.pop();
    this.#known.splice(MOST / 2, 0, { octets, reply });
  }
}
