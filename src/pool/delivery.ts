import type { Observable, Observer, Subscriber, Subscription, Unsubscribable } from 'rxjs';
import type { SmtpEvent } from '../protocol/event.js';
import type { Opening } from '../session/open-session.js';
import type { Claim, Session } from '../session/session.js';
import type { Wire } from '../wire/wire.js';
import type { Connection } from './connection.js';
import { mayMove } from './may-move.js';

/** What is to be done with a connection: one mail. */
export interface Job {
  /** Opens a connection for it; `leave` gets the wire when the session has ended. */
  open(leave: (wire: Wire) => void): Observable<Opening>;
  run(session: Session, claim: Claim): Observable<SmtpEvent>;
  /** Once, when nothing of it is left to do. */
  end(): void;
}

/** The pool, as one delivery sees it. */
export interface Carrier {
  /** It is no longer on that connection. */
  released(connection: Connection, isCancelled: boolean): void;
  /** It failed; `number` tells when it was begun. */
  failed(error: unknown, number: number): void;
  accepted(): void;
  /** Begins it again, before all that wait. */
  again(delivery: Delivery): void;
  /** It has ended, however. */
  ended(delivery: Delivery): void;
}

// A mail that others keep pushing out is not to wander for ever.
const MOST_MOVES = 3;

/**
 * One mail in a pool, told to its subscriber. What a used connection failed before anything was told of it is begun again on
 * another one, unseen. Unsubscribing ends the mail first, and then leaves the connection unless other mails are on it.
 */
export class Delivery implements Observer<SmtpEvent>, Unsubscribable {
  readonly job: Job;
  /** Which it was of all that were begun. */
  number = 0;
  readonly #carrier: Carrier;
  readonly #subscriber: Subscriber<SmtpEvent>;
  #connection: Connection | undefined;
  #session: Session | undefined;
  #claim: Claim | undefined;
  #running: Subscription | undefined;
  #moves = 0;
  #isReady = false;
  #isTold = false;

  constructor(job: Job, subscriber: Subscriber<SmtpEvent>, carrier: Carrier) {
    this.job = job;
    this.#subscriber = subscriber;
    this.#carrier = carrier;
  }

  /** Has its place on a connection that is open, or is opening for it. */
  boards(connection: Connection): void {
    this.#connection = connection;
    const { session } = connection;
    if (session === undefined) return;
    this.meets(session.ready);
    this.opened(session);
  }

  /** Something of its connection, up to the first `ready`. */
  meets(event: SmtpEvent): void {
    if (this.#isReady) return;
    this.#isReady = event.type === 'ready';
    this.#subscriber.next(event);
  }

  opened(session: Session): void {
    if (this.#subscriber.closed) return;
    this.#session = session;
    const claim = this.#claim = session.begin();
    let events$: Observable<SmtpEvent>;
    try {
      events$ = this.job.run(session, claim);
    } catch (error) {
      this.error(error);
      return;
    }
    this.#running = events$.subscribe(this);
  }

  next(event: SmtpEvent): void {
    this.#isTold = true;
    this.#subscriber.next(event);
  }

  error(error: unknown): void {
    const claim = this.#claim;
    const moving = claim === undefined || this.#isTold || claim.isFirst || this.#moves === MOST_MOVES ? undefined : mayMove(error, claim.overlaps);
    this.#carrier.failed(error, this.number);
    if (moving === 'it-was-ahead') this.#session?.manners.disappoint();
    if (moving === undefined) {
      this.#release();
      this.#subscriber.error(error);
      return;
    }
    this.#moves += 1;
    // Before its place is free, or a mail that waits would take it.
    this.#carrier.again(this);
    this.#release();
  }

  complete(): void {
    this.#carrier.accepted();
    this.#release();
    this.#subscriber.complete();
  }

  unsubscribe(): void {
    this.#running?.unsubscribe();
    this.#release(true);
    this.job.end();
    this.#carrier.ended(this);
  }

  #release(isCancelled = false): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#claim?.ended();
    this.#claim = undefined;
    if (connection !== undefined) this.#carrier.released(connection, isCancelled);
  }
}
