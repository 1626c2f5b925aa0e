import { AsyncSubject, concatMap, defer, finalize, Observable, Subject, Subscription, type ObservableInput, type Observer, type Unsubscribable } from 'rxjs';
import { countOrForever } from './config/checks.js';
import { settings, type Settings, type SmtpOptions } from './config/options.js';
import { fromUrl } from './config/url.js';
import { Memory } from './connect/memory.js';
import { openDoor } from './connect/open-door.js';
import { inOrder, plan } from './connect/plan.js';
import { BY_UNSUBSCRIBING } from './message/elsewhere.js';
import { fields, optional } from './message/fields.js';
import { draft, type Draft, type Mail } from './message/mail.js';
import type { Message } from './message/message.js';
import { sendEach, type BulkEvent } from './pool/bulk.js';
import { InParts, mayComeInParts } from './pool/in-parts.js';
import { Pool } from './pool/pool.js';
import type { CloseReport, PoolState } from './pool/pool-state.js';
import type { Handling } from './pool/pull-map.js';
import { Sending, type OpenConnection } from './pool/sending.js';
import type { ConnectionPlan } from './protocol/connection-plan.js';
import type { ConnectEvent, SmtpEvent } from './protocol/event.js';
import type { LogLine } from './protocol/log-line.js';
import { Manners } from './session/manners.js';
import { oneAtATime } from './session/one-at-a-time.js';
import { openSession, resumeSession } from './session/open-session.js';
import { stayTheSame } from './session/settings.js';
import { awake, deadline, monotonic, type Deadline } from './transport/clock.js';
import { dial } from './transport/dial.js';
import { toOutside } from './transport/outside.js';

/** How many mails are in flight at a time. */
export interface BulkOptions {
  /** 1 or more, or `Infinity`. Default: as many as the connections have room for; 5 with `pool: false`. */
  readonly concurrency?: number;
}

/**
 * An SMTP client. `send()`, `sendAll()` and `verify()` return cold observables: subscribing starts the work, unsubscribing cancels it.
 *
 * ```ts
 * await using client = new SmtpClient({ host: 'mail.example.com', auth: { user: 'ann', pass: secret } });
 * client.send({ from: 'ann@example.com', to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' }).subscribe({
 *   next: (event) => console.log(event.type),
 *   error: (error: SmtpError) => console.error(error.outcome, error.message),
 * });
 * ```
 */
export class SmtpClient implements AsyncDisposable {
  /** Every line in both directions while subscribed, with secrets removed and content as byte counts. */
  readonly log$: Observable<LogLine>;
  /** What the connections are doing: emits on subscribe and at each change. */
  readonly state$: Observable<PoolState>;
  /** Emits once, when `close()` has ended: what became of the mails and checks under way. Later subscribers get it too. */
  readonly closed$: Observable<CloseReport>;
  readonly #settings: Settings;
  readonly #plans: readonly ConnectionPlan[];
  readonly #memory: Memory;
  readonly #pool: Pool;
  readonly #log = new Subject<LogLine>();
  readonly #closed = new AsyncSubject<CloseReport>();
  readonly #manners = new Map<number, Manners>();
  #connections = 0;
  #closing: Promise<void> | undefined;

  /** A string is an `smtp://`, `smtps://` or `smtp+starttls://` URL. @throws {SmtpUsageError} naming the option that is unknown or cannot work. */
  constructor(options: SmtpOptions | string) {
    this.#settings = settings(typeof options === 'string' ? fromUrl(options) : options);
    this.#plans = plan(this.#settings);
    this.#memory = new Memory(stayTheSame(this.#settings.credentials));
    this.log$ = this.#log.pipe(toOutside());
    this.closed$ = this.#closed.pipe(toOutside());
    this.#pool = new Pool(this.#settings.pool, monotonic, awake);
    this.state$ = this.#pool.state$;
  }

  /** The doors in the order in which they would be tried; the one that opened last time comes first, except for clear text as the last resort. Opens nothing. */
  get plans(): readonly ConnectionPlan[] {
    return [...inOrder(this.#plans, this.#memory.opened)];
  }

  /**
   * Connects, secures, signs in and leaves, on a connection of its own beside those of the pool. Completes after `ready`, or fails with an
   * `SmtpError`. A health check is `await lastValueFrom(client.verify())`: `firstValueFrom` would resolve with `attempt-started`, which says nothing.
   */
  verify(): Observable<ConnectEvent> {
    return defer(() => {
      const operation = this.#operation();
      this.#memory.forgive();
      return this.#pool.verify((leave) => this.#open(leave, operation));
    });
  }

  /**
   * Sends one mail. Emits its events, exactly one `accepted` last, and completes; or fails with an `SmtpError` whose
   * `outcome` says who has the mail. Each subscription is a separate send, with the same Message-ID.
   */
  send(message: Message): Observable<SmtpEvent> {
    const mail = draft(message);
    return new Observable((subscriber) => {
      if (!subscriber.closed) return this.#start(mail, subscriber);
      // Some operators subscribe even where their own subscriber has left.
      this.#handling.discard(mail);
      return undefined;
    });
  }

  /**
   * Sends every message of a source, as there is room for it: arrays, iterables and async iterables are pulled; what an Observable emits
   * too fast waits in memory. A mail that fails is a `failed` event, and the stream goes on. When the source fails, or the client is
   * closed, the stream fails as soon as the mails that were begun have ended.
   * @throws SmtpUsageError naming an option that cannot be used.
   */
  sendAll(messages: ObservableInput<Message>, options: BulkOptions = {}): Observable<BulkEvent> {
    const { concurrency } = fields(options, { path: '', noun: 'option', of: 'sendAll()', known: ['concurrency'], refused: { signal: BY_UNSUBSCRIBING } });
    return sendEach(messages, this.#handling, { concurrency: optional(countOrForever)(concurrency, 'concurrency') ?? this.#settings.pool.concurrency, gate: this.#pool.gate, scheduler: awake });
  }

  /**
   * Waits for the mails under way, but not longer than `timeouts.close` (default 60 s): mails that take longer are cut off and
   * fail. QUIT goes to each connection when its mails have ended; those of mails that were cut off are dropped. Resolves when all are
   * closed; `closed$` tells how many mails ended. Whatever is begun afterwards fails with `E_USAGE`.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#end(deadline(monotonic, 'close', this.#settings.timeouts.close));
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  toJSON(): { readonly plans: readonly ConnectionPlan[] } {
    return { plans: this.plans };
  }

  #start(mail: Draft, observer: Observer<SmtpEvent>): Unsubscribable {
    const place = this.#pool.enter();
    if (place.closed) {
      this.#handling.discard(mail);
      observer.error(this.#pool.gate.refusal?.());
      return Subscription.EMPTY;
    }
    const operation = this.#operation();
    if (!(mail instanceof Observable)) return this.#send(mail, observer, place, operation);
    // The first in line is on its way while the others are composed.
    return mail.pipe(
      oneAtATime(this, () => { this.#handling.discard(mail); }),
      concatMap((composed) => new Observable<SmtpEvent>((subscriber) => this.#send(composed, subscriber, place, operation))),
      finalize(() => { place.unsubscribe(); }),
    ).subscribe(observer);
  }

  #send(mail: Mail, observer: Observer<SmtpEvent>, place: Unsubscribable, operation: Deadline): Unsubscribable {
    const parts = mayComeInParts(mail) ? new InParts(mail, observer) : undefined;
    return this.#pool.use(new Sending(mail, operation, this.#open, parts), parts ?? observer, place);
  }

  async #end(end: Deadline): Promise<void> {
    this.#closed.next(await this.#pool.close(end));
    this.#closed.complete();
    this.#log.complete();
  }

  #operation(): Deadline {
    return deadline(monotonic, 'operation', this.#settings.timeouts.operation);
  }

  #mannersOf({ port }: ConnectionPlan): Manners {
    const known = this.#manners.get(port) ?? new Manners();
    this.#manners.set(port, known);
    return known;
  }

  readonly #handling: Handling<Message, Draft, SmtpEvent> = {
    prepare: draft,
    begin: (mail, observer) => this.#start(mail, observer),
    discard: (mail) => {
      // Whoever leaves before a message is composed has it discarded.
      if (mail instanceof Observable) mail.subscribe({ error: () => undefined }).unsubscribe();
      else mail.discard();
    },
  };

  readonly #open: OpenConnection = (leave, operation) =>
    openDoor(this.#plans, {
      memory: this.#memory, leave, scheduler: monotonic, stagger: this.#settings.stagger,
      open: (candidate, handOver, from) => {
        const surroundings = { leave, handOver, manners: this.#mannersOf(candidate) };
        if (from !== undefined) return resumeSession(from, surroundings);
        this.#connections += 1;
        const stream$ = dial(candidate, { settings: this.#settings, operation, scheduler: monotonic, rank: (address) => this.#memory.rank(address, candidate, monotonic.now()) });
        return openSession(stream$, { plan: candidate, settings: this.#settings, operation, scheduler: monotonic, log: this.#log, connection: this.#connections }, surroundings);
      },
    });
}
