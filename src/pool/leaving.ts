import type { Leave } from '../session/open-session.js';
import { afterPoll } from '../transport/soon.js';
import { leave } from '../wire/leave.js';
import type { Wire } from '../wire/wire.js';

/** Connections that were ended, and count until their servers have been left. */
export class Leaving {
  /** A list and no Set (docs/decisions/17-what-v8-keeps.md). */
  readonly #wires: Wire[] = [];
  readonly #hasPlace: () => boolean;
  readonly #gone: () => void;

  /**
   * @param hasPlace there may be another connection beside these.
   * @param gone is told of each end.
   */
  constructor(hasPlace: () => boolean, gone: () => void) {
    this.#hasPlace = hasPlace;
    this.#gone = gone;
  }

  get count(): number {
    return this.#wires.length;
  }

  /** Is called by whoever ends the connection. */
  readonly leave: Leave = (wire) => {
    this.#wires.push(wire);
    const gone = (): void => {
      this.#wires.splice(this.#wires.indexOf(wire), 1);
      this.#gone();
    };
    // A server in this process would be told of the next connection in the same poll, and ahead of this one's end.
    const left = (): void => {
      if (this.#hasPlace()) gone();
      else afterPoll(gone);
    };
    leave(wire).subscribe({ complete: left, error: left });
  };

  /** Waits for nothing any more. */
  drop(): void {
    for (const wire of [...this.#wires]) wire.drop();
  }
}
