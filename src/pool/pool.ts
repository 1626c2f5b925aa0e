import { defer, filter, firstValueFrom, Observable, startWith, Subject, Subscription, takeWhile, type Subscriber, type SchedulerLike } from 'rxjs';
import { SmtpUsageError } from '../protocol/error.js';
import type { ConnectEvent, SmtpEvent } from '../protocol/event.js';
import type { Opening } from '../session/open-session.js';
import type { Claim, Session } from '../session/session.js';
import { remaining } from '../transport/clock.js';
import type { Wire } from '../wire/wire.js';
import { Congestion } from './congestion.js';
import { mayMove } from './may-move.js';
import type { PoolSettings, PoolState } from './pool-state.js';
import { RateLimit } from './rate-limit.js';

/** What is done with a session: one mail, under its claim. */
export type Job = (session: Session, claim: Claim) => Observable<SmtpEvent>;

type Open = (leave: (wire: Wire) => void) => Observable<Opening>;

interface Connection {
  readonly subscription: Subscription;
  readonly openedAt: number;
  session?: Session;
  /** Mails on the way there. */
  mails: number;
  idling?: Subscription | undefined;
}

// A mail that others keep pushing out is not to wander for ever.
const MOST_MOVES = 3;

/** Connections, opened when a mail needs one, shared as far as the server allows, kept for the next mail, and left between two. The owner of every session. */
export class Pool {
  readonly #settings: PoolSettings;
  readonly #open: Open;
  readonly #scheduler: SchedulerLike;
  readonly #connections = new Set<Connection>();
  readonly #leaving = new Set<Wire>();
  /** Mails that were begun and turned away come first. */
  readonly #returning = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  readonly #changes = new Subject<PoolState>();
  readonly state$: Observable<PoolState> = defer(() => this.#changes.pipe(startWith(this.#state)));
  readonly #congestion = new Congestion();
  readonly #rateLimit: RateLimit | undefined;
  /** Keeps the process alive: somebody counts on what it waits for. */
  readonly #awake: SchedulerLike;
  #ringing: Subscription | undefined;
  /** Mails and checks from their subscription to their end, those that are still being composed included. */
  #begun = 0;
  #isAdmitting = false;
  #isClosed = false;

  constructor(settings: PoolSettings, open: Open, scheduler: SchedulerLike, awake = scheduler) {
    this.#settings = settings;
    this.#open = open;
    this.#scheduler = scheduler;
    this.#awake = awake;
    this.#rateLimit = settings.rate === undefined ? undefined : new RateLimit(settings.rate);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Opens a connection of its own up to `ready`, and leaves. */
  verify(open = this.#open): Observable<ConnectEvent> {
    return new Observable((subscriber) => {
      const place = this.enter();
      if (isRefused(place, subscriber)) return;
      subscriber.add(place);
      subscriber.add(open(this.#leave).pipe(takeWhile((step): step is ConnectEvent => step.type !== 'session')).subscribe(subscriber));
    });
  }

  /** A place for a mail, from its subscription to its end: `close()` waits until it is given back. A closed one where the pool is closed. */
  enter(): Subscription {
    if (this.#isClosed) return Subscription.EMPTY;
    this.#begun += 1;
    return new Subscription(() => { this.#begun -= 1; this.#changed(); });
  }

  /**
   * Runs a job on a session, for its subscriber: one that has room, a new one, or the next that has. Unsubscribing ends the
   * job first and then leaves the connection, unless other mails are on it. A job that a used connection failed before
   * anything was told of it is begun again elsewhere, unseen.
   */
  use(job: Job, subscriber: Subscriber<SmtpEvent>, place: Subscription, open: Open): void {
    if (isRefused(place, subscriber)) return;
    let connection: Connection | undefined;
    let claim: Claim | undefined;
    let running: Subscription | undefined;
    let number = 0;
    let moves = 0;
    let isReady = false;
    let isTold = false;

    const release = (isCancelled = false): void => {
      const used = connection;
      connection = undefined;
      claim?.ended();
      claim = undefined;
      if (used === undefined) return;
      used.mails -= 1;
      if (isCancelled && used.mails === 0) this.#retire(used);
      else this.#settle(used);
    };
    const failed = (error: unknown, session: Session, { isFirst, overlaps }: Claim): void => {
      const moving = !isTold && !isFirst && moves < MOST_MOVES ? mayMove(error, overlaps) : undefined;
      this.#congestion.failed(error, number, this.#inFlight);
      if (moving === 'it-was-ahead') session.manners.disappoint();
      if (moving === undefined) {
        release();
        subscriber.error(error);
        return;
      }
      moves += 1;
      // Before its place is free, or a mail that waits would take it.
      this.#returning.add(begin);
      release();
      this.#admit();
    };
    const run = (session: Session): void => {
      const mine = claim = session.begin();
      let events$: Observable<SmtpEvent>;
      try {
        events$ = job(session, mine);
      } catch (error) {
        failed(error, session, mine);
        return;
      }
      running = events$.subscribe({
        next: (event) => {
          isTold = true;
          subscriber.next(event);
        },
        error: (error: unknown) => { failed(error, session, mine); },
        complete: () => {
          this.#congestion.accepted();
          release();
          subscriber.complete();
        },
      });
    };
    const tell = (event: SmtpEvent): void => {
      if (!isReady) subscriber.next(event);
      isReady ||= event.type === 'ready';
    };
    const begin = (): void => {
      number = this.#congestion.begin();
      const shared = this.#withRoom();
      if (shared?.session !== undefined) {
        this.#take(connection = shared);
        tell(shared.session.ready);
        if (!subscriber.closed) run(shared.session);
        return;
      }
      // Lives on when this mail is gone, and must not hold on to it.
      let opener: Opener | undefined = {
        told: tell,
        opened: (session) => { if (!subscriber.closed) run(session); },
        failed: (error) => {
          this.#congestion.failed(error, number, this.#inFlight);
          release();
          subscriber.error(error);
        },
      };
      const opening: Connection = { subscription: new Subscription(), openedAt: this.#scheduler.now(), mails: 0 };
      this.#connections.add(opening);
      this.#take(connection = opening);
      opening.subscription.add(open(this.#leave).subscribe({
        next: (step) => {
          if (step.type !== 'session') { opener?.told(step); return; }
          const { session } = step;
          opening.session = session;
          session.changed = () => { this.#settle(opening); };
          const waiting = opener;
          opener = undefined;
          waiting?.opened(session);
        },
        error: (error: unknown) => { opener?.failed(error); },
      }));
    };

    subscriber.add(() => {
      this.#waiting.delete(begin);
      this.#returning.delete(begin);
      if (this.#waiting.size + this.#returning.size === 0) this.#stopRinging();
      running?.unsubscribe();
      release(true);
      this.#changed();
    });
    this.#waiting.add(begin);
    this.#changed();
    this.#admit();
  }

  /** Ends when every mail that was begun has ended and every server was left. Nothing begins any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections) if (connection.mails === 0) this.#retire(connection);
    await firstValueFrom(this.state$.pipe(filter(({ open }) => open === 0 && this.#begun === 0)), { defaultValue: undefined });
  }

  /** Begins mails that wait, as long as there is room for them. */
  #admit(): void {
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    for (;;) {
      const queue = this.#returning.size > 0 ? this.#returning : this.#waiting;
      const [next] = queue;
      if (next === undefined || !this.#hasRoom || this.#mustWait()) break;
      queue.delete(next);
      this.#rateLimit?.started(this.#scheduler.now());
      next();
    }
    this.#isAdmitting = false;
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#congestion.limit && (this.#connections.size < this.#settings.maxConnections || this.#withRoom() !== undefined);
  }

  get #inFlight(): number {
    let inFlight = 0;
    for (const { mails } of this.#connections) inFlight += mails;
    return inFlight;
  }

  /** The rate is used up: rings when the next mail may start. */
  #mustWait(): boolean {
    const wait = this.#rateLimit?.wait(this.#scheduler.now()) ?? 0;
    if (wait <= 0) return false;
    this.#ringing ??= this.#awake.schedule(() => {
      this.#ringing = undefined;
      this.#admit();
    }, Math.ceil(wait));
    return true;
  }

  #stopRinging(): void {
    this.#ringing?.unsubscribe();
    this.#ringing = undefined;
  }

  /** The connection with room that has the least to do. */
  #withRoom(): Connection | undefined {
    let best: Connection | undefined;
    for (const connection of this.#connections)
      if (connection.session?.hasRoom === true && !this.#isWorn(connection) && connection.mails < (best?.mails ?? Infinity)) best = connection;
    return best;
  }

  #isWorn({ session, openedAt }: Connection): boolean {
    const { maxMessages, maxAge } = this.#settings;
    return (session?.mails ?? 0) >= maxMessages || this.#scheduler.now() - openedAt >= maxAge;
  }

  #take(connection: Connection): void {
    connection.mails += 1;
    connection.idling?.unsubscribe();
    connection.idling = undefined;
    if (connection.mails === 1) connection.session?.wire.stream.keepAlive(true);
    this.#changed();
  }

  /** Something ended or changed there: keeps the connection or leaves it, and lets others in. */
  #settle(connection: Connection): void {
    if (!this.#connections.has(connection)) return;
    if (connection.mails > 0) {
      this.#admit();
      return;
    }
    const { session } = connection;
    const { idleTimeout } = this.#settings;
    if (session?.isUsable !== true || this.#isClosed || idleTimeout === 0 || this.#isWorn(connection)) {
      this.#retire(connection);
      return;
    }
    session.wire.stream.keepAlive(false);
    if (idleTimeout !== Infinity) connection.idling ??= this.#scheduler.schedule(() => { this.#retire(connection); }, remaining(this.#scheduler, this.#scheduler.now() + idleTimeout));
    this.#changed();
    this.#admit();
  }

  #retire(connection: Connection): void {
    this.#connections.delete(connection);
    connection.idling?.unsubscribe();
    connection.session?.wire.stream.keepAlive(true);
    connection.subscription.unsubscribe();
    this.#changed();
    this.#admit();
  }

  readonly #leave = (wire: Wire): void => {
    this.#leaving.add(wire);
    this.#changed();
    const left = (): void => { this.#leaving.delete(wire); this.#changed(); };
    wire.leave().subscribe({ complete: left, error: left });
  };

  get #state(): PoolState {
    const open = this.#connections.size;
    let idle = 0;
    for (const { mails } of this.#connections) if (mails === 0) idle += 1;
    return {
      open: open + this.#leaving.size, busy: open - idle, idle,
      waiting: this.#waiting.size + this.#returning.size, inFlight: this.#inFlight, limit: this.#congestion.limit,
    };
  }

  #changed(): void {
    if (this.#changes.observed) this.#changes.next(this.#state);
  }
}

const isRefused = (place: Subscription, subscriber: { error(error: unknown): void }): boolean => {
  if (place.closed) subscriber.error(new SmtpUsageError({ phase: 'idle', message: 'This client was closed. Make a new SmtpClient to send more.' }));
  return place.closed;
};

/** Who opened a connection and is told of its opening. */
interface Opener {
  told(event: ConnectEvent): void;
  opened(session: Session): void;
  failed(error: unknown): void;
}
