import { Subscription, type Observable, type Observer, type Unsubscribable } from 'rxjs';
import type { OpenContent } from '../message/content.js';
import type { Mail } from '../message/mail.js';
import { SmtpError, withoutRetry } from '../protocol/error.js';
import type { SmtpEvent } from '../protocol/event.js';
import type { Claim } from '../session/claim.js';
import type { Leave, Opening } from '../session/open-session.js';
import { transact } from '../session/transaction.js';
import type { Deadline } from '../transport/clock.js';
import type { Job } from './delivery.js';
import type { InParts } from './in-parts.js';

/** Opens a connection; `leave` gets the wire when its session has ended. */
export type OpenConnection = (leave: Leave, operation: Deadline) => Observable<Opening>;

// Words that tell of a later try stand in front of it.
const READ_ONCE = 'Its content can be read only once: to send it again, give a function that opens it anew.';

/** One mail under way, whatever number of connections and transactions it takes. */
export class Sending implements Job {
  readonly operation: Deadline;
  readonly #mail: Mail;
  readonly #open: OpenConnection;
  readonly #parts: InParts | undefined;
  #content: OpenContent | undefined;

  constructor(mail: Mail, operation: Deadline, open: OpenConnection, parts: InParts | undefined) {
    this.#mail = mail;
    this.operation = operation;
    this.#open = open;
    this.#parts = parts;
  }

  open(leave: Leave): Observable<Opening> {
    return this.#open(leave, this.operation);
  }

  run(claim: Claim, observer: Observer<SmtpEvent>): Unsubscribable {
    const content = this.#content ??= this.#mail.open();
    if (!claim.isOver) return transact(claim, { mail: this.#mail, part: this.#parts, content, operation: this.operation }, observer);
    // The caller's own function gave it, and has cancelled the mail in there.
    this.#close();
    return Subscription.EMPTY;
  }

  goesOn(error?: unknown): boolean {
    if (this.#parts?.goesOn(error) !== true) return false;
    // Bytes are at hand, a stream was read.
    if (this.#content?.kind === 'stream') this.#close();
    return true;
  }

  end(): void {
    this.#close();
    this.#mail.discard();
  }

  /** No retry can send content that can be read only once. */
  failure(error: unknown): unknown {
    return error instanceof SmtpError && error.retryable && !this.#mail.replayable ? withoutRetry(error, `${error.message} ${READ_ONCE}`) : error;
  }

  #close(): void {
    this.#content?.dispose();
    this.#content = undefined;
  }
}
