import { BehaviorSubject, filter, firstValueFrom, Observable, Subscription, takeWhile, type SchedulerLike } from 'rxjs';
import { SmtpUsageError } from '../protocol/error.js';
import type { ConnectEvent, SmtpEvent } from '../protocol/event.js';
import type { Opening } from '../session/open-session.js';
import type { Session } from '../session/session.js';
import { remaining } from '../transport/clock.js';
import type { Wire } from '../wire/wire.js';

/** How many connections a client keeps, and for how long. */
export interface PoolSettings {
  readonly maxConnections: number;
  /** Mails on one connection. */
  readonly maxMessages: number;
  /** Milliseconds since it was opened. */
  readonly maxAge: number;
  /** Milliseconds without a mail; 0 keeps nothing open. */
  readonly idleTimeout: number;
}

/** What the connections of a client are doing. */
export interface PoolState {
  /** All of them: opening, busy, idle, and those that are saying goodbye. */
  readonly open: number;
  readonly busy: number;
  readonly idle: number;
  /** Mails that wait for a connection. */
  readonly waiting: number;
  /** Mails on the way. */
  readonly inFlight: number;
}

interface Connection {
  readonly subscription: Subscription;
  readonly openedAt: number;
  session?: Session;
  idling?: Subscription;
}

/** Connections, opened when a mail needs one, kept for the next, and left between two mails. The owner of every session. */
export class Pool {
  readonly #settings: PoolSettings;
  readonly #open: (leave: (wire: Wire) => void) => Observable<Opening>;
  readonly #scheduler: SchedulerLike;
  readonly #busy = new Set<Connection>();
  readonly #idle = new Set<Connection>();
  readonly #leaving = new Set<Wire>();
  readonly #waiting = new Set<() => void>();
  readonly #state = new BehaviorSubject<PoolState>({ open: 0, busy: 0, idle: 0, waiting: 0, inFlight: 0 });
  readonly state$: Observable<PoolState> = this.#state.asObservable();
  #isClosed = false;

  constructor(settings: PoolSettings, open: (leave: (wire: Wire) => void) => Observable<Opening>, scheduler: SchedulerLike) {
    this.#settings = settings;
    this.#open = open;
    this.#scheduler = scheduler;
  }

  /** Opens a connection of its own up to `ready`, and leaves. */
  verify(open = this.#open): Observable<ConnectEvent> {
    return new Observable((subscriber) => {
      if (this.#refuses(subscriber)) return;
      subscriber.add(open(this.#leave).pipe(takeWhile((step): step is ConnectEvent => step.type !== 'session')).subscribe(subscriber));
    });
  }

  /**
   * Runs a job on a session: an idle one, a new one, or the next that is free. Unsubscribing ends the job first and then
   * leaves the connection; a job that ended by itself gives it back, if the next mail may start there.
   */
  use(job: (session: Session) => Observable<SmtpEvent>, open = this.#open): Observable<SmtpEvent> {
    return new Observable((subscriber) => {
      if (this.#refuses(subscriber)) return;
      let connection: Connection | undefined;
      const running = new Subscription();

      const giveBack = (): void => {
        if (connection !== undefined) this.#giveBack(connection);
        connection = undefined;
      };
      const run = (session: Session): void => {
        running.add(job(session).subscribe({
          next: (event) => { subscriber.next(event); },
          error: (error: unknown) => { giveBack(); subscriber.error(error); },
          complete: () => { giveBack(); subscriber.complete(); },
        }));
      };
      const begin = (): void => {
        this.#waiting.delete(begin);
        const idle = this.#takeIdle();
        if (idle?.session !== undefined) {
          connection = idle;
          this.#changed();
          subscriber.next(idle.session.ready);
          if (!subscriber.closed) run(idle.session);
          return;
        }
        const opening: Connection = { subscription: new Subscription(), openedAt: this.#scheduler.now() };
        connection = opening;
        this.#busy.add(opening);
        this.#changed();
        opening.subscription.add(open(this.#leave).subscribe({
          next: (step) => {
            if (step.type !== 'session') subscriber.next(step);
            else if (!subscriber.closed) run(opening.session = step.session);
          },
          error: (error: unknown) => { giveBack(); subscriber.error(error); },
        }));
      };

      subscriber.add(() => {
        this.#waiting.delete(begin);
        running.unsubscribe();
        if (connection !== undefined) this.#retire(connection);
        this.#changed();
      });
      if (this.#idle.size === 0 && this.#busy.size >= this.#settings.maxConnections) {
        this.#waiting.add(begin);
        this.#changed();
      } else begin();
    });
  }

  /** Ends when every mail that was begun has ended and every server was left. Nothing begins any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#idle) this.#retire(connection);
    await firstValueFrom(this.#state.pipe(filter(({ open, waiting }) => open === 0 && waiting === 0)), { defaultValue: undefined });
  }

  #refuses(subscriber: { error(error: unknown): void }): boolean {
    if (this.#isClosed) subscriber.error(new SmtpUsageError({ phase: 'idle', message: 'This client was closed. Make a new SmtpClient to send more.' }));
    return this.#isClosed;
  }

  #takeIdle(): Connection | undefined {
    for (const connection of this.#idle) {
      if (connection.session?.isUsable !== true || this.#isWorn(connection)) { this.#retire(connection); continue; }
      this.#idle.delete(connection);
      connection.idling?.unsubscribe();
      connection.session.wire.stream.keepAlive(true);
      this.#busy.add(connection);
      return connection;
    }
    return undefined;
  }

  #isWorn({ session, openedAt }: Connection): boolean {
    const { maxMessages, maxAge } = this.#settings;
    return (session?.mails ?? 0) >= maxMessages || this.#scheduler.now() - openedAt >= maxAge;
  }

  #giveBack(connection: Connection): void {
    const { session } = connection;
    const { idleTimeout } = this.#settings;
    const isKept = session?.isUsable === true && !this.#isClosed && idleTimeout > 0 && !this.#isWorn(connection);
    if (!isKept) { this.#retire(connection); return; }
    this.#busy.delete(connection);
    this.#idle.add(connection);
    session.wire.stream.keepAlive(false);
    if (idleTimeout !== Infinity) connection.idling = this.#scheduler.schedule(() => { this.#retire(connection); }, remaining(this.#scheduler, this.#scheduler.now() + idleTimeout));
    this.#changed();
    this.#admit();
  }

  #retire(connection: Connection): void {
    this.#busy.delete(connection);
    this.#idle.delete(connection);
    connection.idling?.unsubscribe();
    connection.session?.wire.stream.keepAlive(true);
    connection.subscription.unsubscribe();
    this.#changed();
    this.#admit();
  }

  #admit(): void {
    const [next] = this.#waiting;
    if (next !== undefined && (this.#idle.size > 0 || this.#busy.size < this.#settings.maxConnections)) next();
  }

  readonly #leave = (wire: Wire): void => {
    this.#leaving.add(wire);
    this.#changed();
    const left = (): void => { this.#leaving.delete(wire); this.#changed(); };
    wire.leave().subscribe({ complete: left, error: left });
  };

  #changed(): void {
    const busy = this.#busy.size;
    const idle = this.#idle.size;
    this.#state.next({ open: busy + idle + this.#leaving.size, busy, idle, waiting: this.#waiting.size, inFlight: busy });
  }
}
