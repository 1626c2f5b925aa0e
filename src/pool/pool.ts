import { defer, distinctUntilChanged, filter, firstValueFrom, map, merge, Observable, of, Subject, Subscription, takeWhile, timeout, type Observer, type SchedulerLike, type Unsubscribable } from 'rxjs';
import type { ConnectEvent, SmtpEvent } from '../protocol/event.js';
import type { Leave, Opening } from '../session/open-session.js';
import { remaining, type Deadline } from '../transport/clock.js';
import { toOutside } from '../transport/outside.js';
import { timeoutError } from '../transport/timeout-error.js';
import { Alarm } from './alarm.js';
import { Ceiling } from './ceiling.js';
import { Congestion } from './congestion.js';
import { Connection } from './connection.js';
import { Delivery, type Carrier, type Job } from './delivery.js';
import { closed, Gate } from './gate.js';
import { gotNoFirstReply } from './learn-from.js';
import { Leaving } from './leaving.js';
import { isSame, type CloseReport, type PoolState } from './pool-state.js';
import { RateLimit } from './rate-limit.js';
import { Relief } from './relief.js';
import type { PoolSettings } from './settings.js';
import { WaitingLine } from './waiting-line.js';

/** Connections, opened when a mail needs one, shared as far as the server allows, kept for the next mail, and left between two. The owner of every session. */
export class Pool implements Carrier {
  readonly #settings: PoolSettings;
  readonly scheduler: SchedulerLike;
  /** A list and no Set (docs/decisions/17-what-v8-keeps.md). */
  readonly #connections: Connection[] = [];
  readonly #leaving: Leaving;
  /** Mails that were begun and turned away come first. */
  readonly #returning = new WaitingLine<Delivery>();
  readonly #waiting = new WaitingLine<Delivery>();
  readonly #changes = new Subject<void>();
  /** Fails when `close()` waits no longer. */
  readonly #late = new Subject<never>();
  /** The end of that wait, once it is over. */
  #cutAt: Deadline | undefined;
  /** Listened to before the first is told: who acts on that changes it. */
  readonly #now$ = merge(this.#changes, of(undefined)).pipe(map(() => this.#state));
  readonly state$: Observable<PoolState> = this.#now$.pipe(distinctUntilChanged(isSame), toOutside());
  readonly #congestion = new Congestion();
  readonly #ceiling: Ceiling;
  readonly #rateLimit: RateLimit | undefined;
  /** Keeps the process alive: somebody counts on what it waits for. */
  readonly #awake: SchedulerLike;
  /** Lets mails in. */
  readonly #alarm: Alarm;
  readonly #relief: Relief;
  /** Mails and checks from their subscription to their end, those that are still being composed included. */
  #begun = 0;
  #inFlight = 0;
  #isAdmitting = false;
  /** Open as long as a mail that comes now has not long to wait: each connection may have one more at hand. Shut for good when the pool is closed. */
  readonly gate: Gate;

  constructor(settings: PoolSettings, scheduler: SchedulerLike, awake = scheduler) {
    this.#settings = settings;
    this.scheduler = scheduler;
    this.#awake = awake;
    this.#alarm = new Alarm(awake, () => { this.#admit(); });
    this.gate = new Gate(() => this.#begun - this.#inFlight <= settings.maxConnections);
    this.#ceiling = new Ceiling(settings.maxConnections, scheduler);
    this.#leaving = new Leaving(() => this.#hasPlace, () => {
      this.#changed();
      this.#admit();
    });
    this.#relief = new Relief(this.#connections, this.#ceiling, scheduler);
    this.#rateLimit = settings.rate === undefined ? undefined : new RateLimit(settings.rate);
  }

  /** Opens a connection of its own up to `ready`, and leaves. */
  verify(open: (leave: Leave) => Observable<Opening>): Observable<ConnectEvent> {
    return new Observable((subscriber) => {
      const place = this.enter();
      if (this.gate.refusal !== undefined) throw this.gate.refusal();
      subscriber.add(merge(open(this.#leaving.leave), this.#late).pipe(takeWhile((step): step is ConnectEvent => step.type !== 'session'), toOutside()).subscribe(subscriber));
      // Last: it is given back when the server is being left, which `close()` waits for as well.
      subscriber.add(place);
    });
  }

  /** A place for a mail, from its subscription to its end: `close()` waits until it is given back. A closed one where the pool is closed. */
  enter(): Subscription {
    if (this.gate.refusal !== undefined) return Subscription.EMPTY;
    this.#begun += 1;
    return new Subscription(() => {
      this.#begun -= 1;
      this.#changed();
    });
  }

  /** Does a job for its observer, on a connection that has room, a new one, or the next that has. */
  use(job: Job, observer: Observer<SmtpEvent>, place: Unsubscribable): Unsubscribable {
    const delivery = new Delivery(job, observer, this, place);
    if (this.#cutAt !== undefined) delivery.cut(this.#cutAt);
    else if (this.#isAdmitting || this.#first !== undefined || !this.#begins(delivery)) {
      delivery.waits(this.#waiting.join(delivery));
      this.#changed();
    }
    return delivery;
  }

  released(delivery: Delivery, connection: Connection, isCancelled: boolean): void {
    this.#inFlight -= 1;
    without(connection.deliveries, delivery);
    if (!isCancelled) {
      this.#settle(connection);
      return;
    }
    // Many may be cancelled in one turn: each would let in the next one, which is cancelled as well.
    const wasAdmitting = this.#isAdmitting;
    this.#isAdmitting = true;
    if (connection.isIdle) this.#discard(connection);
    this.#isAdmitting = wasAdmitting;
    this.#alarm.stop();
    this.#alarm.set(0);
  }

  failed(error: unknown, number: number): boolean {
    if (gotNoFirstReply(error)) this.#connections.forEach((connection) => { connection.suspect(this.scheduler.now() - error.elapsed); });
    return this.#congestion.failed(error, number, this.#inFlight) && this.#ceiling.refused(error, this.#connections.length);
  }

  accepted(): void {
    this.#congestion.accepted();
  }

  goesWithOthers(error: unknown, hasBefore: boolean, { address }: Connection): boolean {
    // Of those that are still opening one may get there: that is waited for once.
    return this.#ceiling.notOpened(error, this.#connections.length - 1, !hasBefore || this.#connections.some(({ session }) => session !== undefined), address);
  }

  again(delivery: Delivery): void {
    delivery.waits(this.#returning.join(delivery));
  }

  ended(): void {
    if (this.#first === undefined) this.#alarm.stop();
    this.#changed();
  }

  /**
   * Ends when every mail that was begun has ended and every server was left. Nothing begins any more, and what is still under
   * way at the end of the time is cut off.
   */
  async close(end: Deadline): Promise<CloseReport> {
    this.gate.refusal = closed;
    const begun = this.#begun;
    let cut = 0;
    for (const connection of [...this.#connections]) if (connection.isIdle) this.#retire(connection);
    this.#changed();
    const closed$ = this.#now$.pipe(filter(({ open }) => open === 0 && this.#begun === 0));
    const cut$ = defer(() => {
      cut = this.#begun;
      this.#cut(end);
      return closed$;
    });
    await firstValueFrom(closed$.pipe(timeout({ first: remaining(this.#awake, end.at), scheduler: this.#awake, with: () => cut$ })), { defaultValue: undefined });
    this.#changes.complete();
    return { ended: begun - cut, cut };
  }

  #cut(end: Deadline): void {
    this.#cutAt = end;
    this.#late.error(timeoutError(this.scheduler, end, 'idle', 'Closing the client'));
    for (const delivery of [...this.#waiting, ...this.#returning]) delivery.cut(end);
    for (const { deliveries } of [...this.#connections]) for (const delivery of [...deliveries]) delivery.cut(end);
    this.#leaving.drop();
  }

  /** Begins mails that wait, as long as there is room for them. */
  #admit(): void {
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    let next = this.#first;
    while (next !== undefined && this.#begins(next)) next = this.#first;
    this.#isAdmitting = false;
  }

  /** The mail whose turn it is. */
  get #first(): Delivery | undefined {
    return (this.#returning.first ?? this.#waiting.first)?.value;
  }

  /** False: there is no room for it now. */
  #begins(delivery: Delivery): boolean {
    if (this.#inFlight >= this.#congestion.limit) return false;
    const shared = this.#withRoom();
    if (shared === undefined && !this.#mayOpen()) return false;
    // Whoever was told that one is being left may have cancelled this mail.
    if (delivery.closed) return true;
    if (this.#mustWait(shared === undefined ? this.#opening : 0)) return false;
    delivery.stopsWaiting();
    if (shared !== undefined) this.#rateLimit?.started(this.scheduler.now());
    this.#begin(delivery, shared);
    return true;
  }

  #begin(delivery: Delivery, shared: Connection | undefined): void {
    delivery.number = this.#congestion.begin();
    const connection = shared ?? new Connection(this.#settings, this.scheduler);
    this.#inFlight += 1;
    connection.deliveries.push(delivery);
    connection.idlesNoMore();
    if (connection.inFlight === 1) connection.keepProcess(true);
    if (shared === undefined) this.#connections.push(connection);
    delivery.boards(connection);
    if (shared === undefined) this.#open(connection, delivery);
    // Whoever is told may send or cancel mails at once, so that nothing is left half done.
    this.#changed();
  }

  #open(connection: Connection, first: Delivery): void {
    // The connection lives on when this mail is gone, and must not hold on to it.
    let opener: Delivery | undefined = first;
    const changed = (): void => { this.#settle(connection); };
    connection.subscription.add(first.job.open(this.#leaving.leave).subscribe({
      next: (step) => {
        connection.meets(step);
        if (step.type !== 'session') { opener?.meets(step); return; }
        this.#ceiling.opened(connection.address);
        step.session.changed = changed;
        const waiting = opener;
        opener = undefined;
        if (waiting === undefined || waiting.closed) return;
        // It may have taken its time to open, and what is limited are the mails that a server gets.
        if (this.#mustWait()) waiting.beginAgain();
        else {
          this.#rateLimit?.started(this.scheduler.now());
          waiting.opened(step.session);
        }
      },
      error: (error: unknown) => { opener?.error(error); },
    }));
  }

  /** The rate is used up, or will be by the mails ahead: rings when the next one may start. */
  #mustWait(ahead = 0): boolean {
    const wait = this.#rateLimit?.wait(this.scheduler.now(), ahead) ?? 0;
    if (wait <= 0) return false;
    this.#alarm.set(wait);
    return true;
  }

  /** Mails that wait for a connection of their own to open. */
  get #opening(): number {
    return this.#connections.filter(({ session, isIdle }) => session === undefined && !isIdle).length;
  }

  /** The connection with room that has the least to do. */
  #withRoom(): Connection | undefined {
    let best: Connection | undefined;
    this.#connections.forEach((connection) => {
      if (connection.inFlight < (best?.inFlight ?? Infinity) && connection.hasRoom) best = connection;
    });
    return best;
  }

  /** There may be another connection, where none has room. One that is idle has had its share then, and is left first: it would be in the way. */
  #mayOpen(): boolean {
    const idle = this.#connections.find(({ isIdle }) => isIdle);
    if (idle !== undefined) this.#retire(idle);
    return this.#hasPlace;
  }

  /** For one more. */
  get #hasPlace(): boolean {
    return this.#size < this.#ceiling.most;
  }

  /** Connections, until their end. */
  get #size(): number {
    return this.#connections.length + this.#leaving.count;
  }

  /** Something ended or changed there: lets others in, and keeps or leaves the connection where it is idle. */
  #settle(connection: Connection): void {
    // One that takes no more is left first: it is not to be counted beside what is begun then.
    if (connection.isIdle && !connection.hasRoom) {
      this.#retire(connection);
      return;
    }
    this.#admit();
    if (!this.#connections.includes(connection) || connection.inFlight > 0) return;
    if (this.gate.refusal !== undefined) {
      this.#retire(connection);
      return;
    }
    connection.keepProcess(false);
    connection.idles(() => { this.#retire(connection); });
    this.#changed();
    this.#relief.relieve();
  }

  #retire(connection: Connection): void {
    this.#discard(connection);
    this.#admit();
  }

  #discard(connection: Connection): void {
    without(this.#connections, connection);
    if (this.#connections.length === 0) this.#relief.stop();
    connection.idlesNoMore();
    connection.keepProcess(true);
    connection.subscription.unsubscribe();
    this.#changed();
  }

  get #state(): PoolState {
    const idle = this.#connections.filter(({ isIdle }) => isIdle).length;
    return {
      open: this.#size, busy: this.#connections.length - idle, idle,
      waiting: this.#waiting.length + this.#returning.length, inFlight: this.#inFlight, limit: this.#congestion.limit,
    };
  }

  #changed(): void {
    if (this.#changes.observed) this.#changes.next();
    this.gate.changed();
  }
}

const without = <T>(list: T[], one: T): void => {
  const place = list.indexOf(one);
  if (place >= 0) list.splice(place, 1);
};
