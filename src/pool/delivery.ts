import type { Observable, Observer, SchedulerLike, Unsubscribable } from 'rxjs';
import { SmtpError, SmtpProtocolError, withRefused, type Phase } from '../protocol/error.js';
import type { SmtpEvent } from '../protocol/event.js';
import type { Claim } from '../session/claim.js';
import type { Leave, Opening } from '../session/open-session.js';
import type { Session } from '../session/session.js';
import { remaining, type Deadline } from '../transport/clock.js';
import { outside } from '../transport/outside.js';
import { timeoutError } from '../transport/timeout-error.js';
import type { Connection } from './connection.js';
import { learnFrom } from './learn-from.js';
import { mayMove } from './may-move.js';
import type { Spot } from './waiting-line.js';

/** What is to be done with a connection: one mail. */
export interface Job {
  /** The deadline of all of it. */
  readonly operation: Deadline;
  /** Opens a connection for it; `leave` gets the wire when the session has ended. */
  open(leave: Leave): Observable<Opening>;
  /** Tells what happens. */
  run(claim: Claim, observer: Observer<SmtpEvent>): Unsubscribable;
  /** What was run has ended: is there more to run? */
  goesOn(error?: unknown): boolean;
  /** Once, when nothing of it is left to do. */
  end(): void;
  /** What is told of an error, at the end. */
  failure(error: unknown): unknown;
}

/** The pool, as one delivery sees it. */
export interface Carrier {
  readonly scheduler: SchedulerLike;
  /** It is no longer on that connection. */
  released(delivery: Delivery, connection: Connection, isCancelled: boolean): void;
  /** It failed; `number` tells when it was begun. True where its connection is one too many. */
  failed(error: unknown, number: number): boolean;
  accepted(): void;
  /** Its connection could not be opened: takes note of why, and tells whether the mail can go with another one. `hasBefore`: it was to do so once already. */
  goesWithOthers(error: unknown, hasBefore: boolean, connection: Connection): boolean;
  /** Begins it again, before all that wait. */
  again(delivery: Delivery): void;
  /** It has ended, however, and its place may have been given back before. */
  ended(): void;
}

/** Who is told, and may have heard enough before it is known here: what happens at once comes before its subscription is at hand. */
export interface Listener extends Observer<SmtpEvent> {
  readonly closed?: boolean;
}

/** Where a mail is whose end has not left: its wire may be waiting for the end of another one. */
const inEnvelope = (phase: Phase): Phase => (phase === 'mail' || phase === 'rcpt' || phase === 'data' ? phase : 'body');

/** What the server says cannot be told from what it says to something else, its refusals included. */
const isOutOfStep = (error: SmtpError): boolean => error instanceof SmtpProtocolError && error.outcome === 'unknown';

// A mail that others keep pushing out is not to wander for ever. All connections of a pool may be full at once.
const MOST_MOVES = 5;

const NO_WARNINGS: readonly string[] = [];

const MORE_ROOM = 'Raise that limit, "pool.maxConnections" or "pool.rate", or send less at a time.';

/**
 * One mail in a pool, told to its observer. What a used connection failed before anything was told of it is begun again on
 * another one, unseen. Unsubscribing ends the mail first, and then leaves the connection unless other mails are on it.
 */
export class Delivery implements Observer<SmtpEvent>, Unsubscribable {
  readonly job: Job;
  /** Which it was of all that were begun. */
  number = 0;
  closed = false;
  readonly #carrier: Carrier;
  readonly #observer: Listener;
  readonly #place: Unsubscribable;
  #connection: Connection | undefined;
  #claim: Claim | undefined;
  #running: Unsubscribable | undefined;
  /** Where it waits for a connection, and what ends the wait. */
  #spot: Spot<Delivery> | undefined;
  #expiring: Unsubscribable | undefined;
  #moved = 0;
  #wasCrowdedOut = false;
  #hasGoneWithOthers = false;
  #isReady = false;
  #isTold = false;
  #warned: readonly string[] = NO_WARNINGS;

  constructor(job: Job, observer: Listener, carrier: Carrier, place: Unsubscribable) {
    this.job = job;
    this.#observer = observer;
    this.#carrier = carrier;
    this.#place = place;
  }

  /** Has no connection for now. */
  waits(spot: Spot<Delivery>): void {
    this.#spot = spot;
    const { operation } = this.job;
    if (operation.at === Infinity) return;
    const { scheduler } = this.#carrier;
    this.#expiring = scheduler.schedule(() => { this.error(timeoutError(scheduler, operation, 'idle', 'Waiting for a connection that has room', [], MORE_ROOM)); }, remaining(scheduler, operation.at));
  }

  /** Waits no longer. */
  stopsWaiting(): void {
    this.#spot?.leave();
    this.#expiring?.unsubscribe();
  }

  /** Has its place on a connection that is open, or is opening for it. */
  boards(connection: Connection): void {
    this.#connection = connection;
    if (connection.session !== undefined) this.opened(connection.session);
  }

  /** Something of its connection, up to the first `ready`. */
  meets(event: SmtpEvent): void {
    if (this.#isReady || this.closed) return;
    this.#isReady = event.type === 'ready';
    this.#tell(event);
  }

  opened(session: Session): void {
    const claim = this.#claim = session.begin(this.#moved < MOST_MOVES, this.#wasCrowdedOut);
    // Claimed before anything is told: whoever is told may send another mail at once.
    this.meets(session.ready);
    if (this.#claim !== claim) return;
    try {
      const running = this.job.run(claim, this);
      // It may have ended at once, or gone on elsewhere.
      if (this.#claim === claim) this.#running = running;
      else running.unsubscribe();
    } catch (error) {
      this.error(error);
    }
  }

  /** Unseen, on a connection that has room for it: its own died, or is not open yet, or may not be used yet. */
  beginAgain(): void {
    // Before its place is free, or a mail that waits would take it.
    this.#carrier.again(this);
    this.#stop();
    this.#release(false);
  }

  next(event: SmtpEvent): void {
    if (this.closed) return;
    // A warning is about the message and the server: it holds on the next connection too, and is told once.
    if (event.type !== 'warning') this.#isTold = true;
    else if (this.#warned.includes(event.code)) return;
    else this.#warned = [...this.#warned, event.code];
    this.#tell(event);
  }

  error(error: unknown): void {
    if (this.closed) return;
    if (this.#claim === undefined ? this.#goesWithOthers(error) : this.#moves(error, this.#claim)) this.beginAgain();
    else if (this.job.goesOn(error)) this.#goOn();
    else {
      this.#end(false);
      outside(() => { this.#observer.error(this.job.failure(error)); });
    }
  }

  complete(): void {
    if (this.closed) return;
    this.#carrier.accepted();
    if (this.job.goesOn()) {
      this.#goOn();
      return;
    }
    this.#end(false);
    outside(() => { this.#observer.complete(); });
  }

  unsubscribe(): void {
    if (this.closed) return;
    // At `accepted` there is nothing left to cancel, and the connection is as good as before.
    const isTaken = this.#claim?.hasSucceeded === true;
    if (isTaken) this.#carrier.accepted();
    this.#end(!isTaken);
  }

  /** The client closes, and waits no longer. */
  cut(end: Deadline): void {
    const claim = this.#claim;
    const phase = claim === undefined ? 'idle' : claim.hasLeft ? 'end-of-data' : inEnvelope(claim.session.wire.phase);
    this.error(timeoutError(this.#carrier.scheduler, end, phase, 'Waiting for this mail to end before the client closes', claim?.session.wire.transcript()));
  }

  /** It had no session yet. True where it is begun again with the connections that are there, because its own did not open. */
  #goesWithOthers(error: unknown): boolean {
    const connection = this.#connection;
    if (connection !== undefined && this.#carrier.goesWithOthers(error, this.#hasGoneWithOthers, connection)) {
      this.#hasGoneWithOthers = true;
      return true;
    }
    this.#carrier.failed(error, this.number);
    return false;
  }

  /** It failed on its session. True where it is begun again on another one. */
  #moves(error: unknown, claim: Claim): boolean {
    if (error instanceof SmtpError && !isOutOfStep(error)) withRefused(error, claim.refused);
    const moving = this.#isTold || !claim.mayMove ? undefined : mayMove(error, claim);
    learnFrom(error, claim, moving, this.#carrier.failed(error, this.number));
    this.#wasCrowdedOut ||= claim.isCrowdedOut;
    if (moving === undefined) return false;
    if (!claim.getsOn) this.#moved += 1;
    return true;
  }

  #tell(event: SmtpEvent): void {
    this.#observer.next(event);
    if (this.#observer.closed === true) this.unsubscribe();
  }

  /** What is left may move as often as what went before. */
  #goOn(): void {
    this.#moved = 0;
    this.#wasCrowdedOut = false;
    this.#isTold = false;
    this.beginAgain();
  }

  #end(isCancelled: boolean): void {
    this.closed = true;
    this.stopsWaiting();
    this.#stop();
    this.#release(isCancelled);
    this.job.end();
    this.#place.unsubscribe();
    this.#carrier.ended();
  }

  #stop(): void {
    this.#running?.unsubscribe();
    this.#running = undefined;
  }

  #release(isCancelled: boolean): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#claim?.ended();
    this.#claim = undefined;
    if (connection !== undefined) this.#carrier.released(this, connection, isCancelled);
  }
}
