import { catchError, defer, tap, throwError, type Observable } from 'rxjs';
import { describePlan, type ConnectionPlan } from '../protocol/connection-plan.js';
import { SmtpConnectionError, SmtpError, SmtpReplyError } from '../protocol/error.js';
import type { HandOver, Leave, Opening } from '../session/open-session.js';
import { resume } from '../session/resume.js';
import { isUnheard } from '../session/sign-in-errors.js';
import type { State } from '../session/state.js';
import { STARTTLS_INSTEAD } from '../transport/tls-error.js';
import { mayFallBack, TLS_WAS_MET } from './may-fall-back.js';
import type { Memory } from './memory.js';
import { isLastResort } from './plan.js';

/** Opens a session on a connection of its own, or goes on where another candidate stopped. */
export type Open = (plan: ConnectionPlan, handOver: HandOver, from?: State) => Observable<Opening>;

/** What the candidates of one run have found out about one host and port. */
interface Door {
  /** No connection came about. */
  unreached?: SmtpError;
  /** Clear text is spoken there, so no handshake can begin. */
  speaksClear?: boolean;
  /** No greeting came, in clear text or behind a handshake: none is waited for in clear text any more. */
  ungreeted?: SmtpError;
  /** A connection that a later candidate can go on with. */
  parked?: State;
}

/**
 * What one candidate finds out serves the next: nothing is asked twice, and what can share a connection does. Lives as long
 * as a run, and owns the connections that wait for their next candidate.
 */
export class Doors {
  /** As they were configured: what has become the second choice is no last resort. */
  readonly #plans: readonly ConnectionPlan[];
  readonly #memory: Memory;
  readonly #open: Open;
  readonly #leave: Leave;
  readonly #doors = new Map<number, Door>();
  readonly #begun = new Set<ConnectionPlan>();

  constructor(plans: readonly ConnectionPlan[], memory: Memory, open: Open, leave: Leave) {
    this.#plans = plans;
    this.#memory = memory;
    this.#open = open;
    this.#leave = leave;
  }

  /** Tries a candidate, as far as it is not known yet how that ends. */
  readonly attempt = (plan: ConnectionPlan): Observable<Opening> =>
    defer(() => {
      this.#begun.add(plan);
      const error = this.#foreseen(plan);
      if (error !== undefined) return throwError(() => error);
      const state = this.#unpark(plan);
      // A server may have given up on the silent connection, or on one whose token or mechanism it refused; it is still there for a new one.
      const hasGivenUp = (failure: unknown): boolean => (state !== undefined && isReset(failure)) || isUnheard(failure);
      return this.#ask(plan, state).pipe(
        catchError((failure: unknown) => (hasGivenUp(failure) ? this.#ask(plan) : throwError(() => failure))),
      );
    });

  /** Leaves the connections that nobody went on with. */
  leave(): void {
    for (const door of this.#doors.values()) {
      if (door.parked !== undefined) this.#leave(door.parked.wire);
      delete door.parked;
    }
  }

  #ask(plan: ConnectionPlan, from?: State): Observable<Opening> {
    return this.#open(plan, this.#park, from).pipe(
      tap({ next: (step) => { this.#learn(plan, step); }, error: (error: unknown) => { this.#learnFrom(plan, error); } }),
    );
  }

  #door({ port }: ConnectionPlan): Door {
    const door = this.#doors.get(port) ?? {};
    this.#doors.set(port, door);
    return door;
  }

  #foreseen(plan: ConnectionPlan): SmtpError | undefined {
    const { unreached, speaksClear, ungreeted } = this.#door(plan);
    if (this.#memory.metTls && isLastResort(plan, this.#plans)) return tlsWasMet(plan, 'was not tried');
    if (unreached !== undefined) return unreached;
    if (plan.security !== 'implicit') return ungreeted;
    return speaksClear === true ? isInClear(plan) : undefined;
  }

  #learn(plan: ConnectionPlan, step: Opening): void {
    const memory = this.#memory;
    switch (step.type) {
      case 'greeted':
        if (plan.security !== 'implicit') this.#door(plan).speaksClear = true;
        break;
      case 'introduced':
        memory.metTls ||= step.capabilities.has('STARTTLS');
        // Here, or on another connection meanwhile: what comes next would be said in clear text.
        if (memory.metTls && isLastResort(plan, this.#plans)) throw tlsWasMet(plan, 'was given up');
        break;
      case 'secured':
        memory.metTls = true;
        break;
      case 'session':
        memory.opened = plan;
        this.leave();
    }
  }

  #learnFrom(plan: ConnectionPlan, error: unknown): void {
    if (!(error instanceof SmtpError)) return;
    const door = this.#door(plan);
    const { security } = plan;
    // A handshake that got as far as to be refused for its certificate, version or cipher.
    if (!mayFallBack(error, security)) this.#memory.metTls ||= error.phase === 'tls' && error instanceof SmtpConnectionError;
    else if (error.phase === 'connect' || error.phase === 'proxy') door.unreached = error;
    else if (error.phase === 'greeting') door.ungreeted = error;
  }

  /** Keeps a connection if a candidate that has not begun can go on with it. */
  readonly #park = (state: State, error: unknown): boolean => {
    const { plan, stage, wire } = state;
    const { remote, via } = wire.stream;
    // Not where the address is a proxy's, nor on a connection that another candidate has left: it may be that one's silence that ended it.
    if (via === undefined && state.events.length > 0) this.#memory.failedAt(remote.address, plan, error, wire.context.scheduler.now());
    // A greeting that had begun when its time was over.
    if (stage === 'connected' && !wire.failed && !wire.silent) this.#door(plan).speaksClear = true;
    const isWanted = error instanceof SmtpError && mayFallBack(error, plan.security)
      && this.#plans.some((other) => !this.#begun.has(other) && resume(state, other) !== undefined);
    // The one reply that leads to another door: EHLO is not known.
    if (isWanted) this.#door(plan).parked = error instanceof SmtpReplyError ? { ...state, refusedEhlo: error } : state;
    return isWanted;
  };

  #unpark(plan: ConnectionPlan): State | undefined {
    const door = this.#door(plan);
    const state = door.parked === undefined ? undefined : resume(door.parked, plan);
    if (state !== undefined) delete door.parked;
    return state;
  }
}

const isReset = (error: unknown): boolean => error instanceof SmtpConnectionError && error.code === 'E_TLS' && error.reason === 'reset';

const tlsWasMet = (plan: ConnectionPlan, what: 'was not tried' | 'was given up'): SmtpError =>
  new SmtpConnectionError('E_TLS', {
    phase: 'tls', reason: TLS_WAS_MET, message: `${describePlan(plan)} ${what}: this host can do TLS, and clear text is used only where there is none. Have "starttls" in "security" where that is offered, or put "none" first if clear text is wanted all the same.`,
  });

const isInClear = (plan: ConnectionPlan): SmtpError =>
  new SmtpConnectionError('E_TLS', {
    phase: 'tls', reason: 'plaintext-peer', message: `${describePlan(plan)} was not tried: the server speaks clear text there. ${STARTTLS_INSTEAD}`,
  });
