import type { Unsubscribable } from 'rxjs';
import { SmtpUsageError, type SmtpError } from '../protocol/error.js';

/** Lets something in as long as there is room, and tells when there may be some again. */
export class Gate {
  /** Why nothing is let in any more: an error for each who is told. */
  refusal: (() => SmtpError) | undefined;
  readonly hasRoom: () => boolean;
  readonly #watchers = new Set<() => void>();

  constructor(hasRoom: () => boolean) {
    this.hasRoom = hasRoom;
  }

  watch(changed: () => void): Unsubscribable {
    this.#watchers.add(changed);
    return { unsubscribe: () => { this.#watchers.delete(changed); } };
  }

  changed(): void {
    if (this.#watchers.size === 0 || (this.refusal === undefined && !this.hasRoom())) return;
    if (this.#watchers.size > 1) this.#rotate();
    this.#watchers.forEach((watcher) => { watcher(); });
  }

  /** Whoever is told first may take all the room: each is in its turn. */
  #rotate(): void {
    for (const first of this.#watchers) {
      this.#watchers.delete(first);
      this.#watchers.add(first);
      return;
    }
  }
}

export const closed = (): SmtpUsageError => new SmtpUsageError({ phase: 'idle', message: 'This client was closed. Make a new SmtpClient to send more.' });
