import { AsyncResource } from 'node:async_hooks';
import { Observable, type ObservableInput, type Observer, type SchedulerLike, type Subscriber, type Subscription, type Unsubscribable } from 'rxjs';
import { outside } from '../transport/outside.js';
import type { Gate } from './gate.js';
import { COMPLETE, failed, supplyOf, type Demand, type End, type Supply } from './supply.js';

/** What becomes of the values and the failure of one piece of work. A failure that is thrown ends the whole. */
export interface Outcomes<T, V, R> {
  value(value: V, source: T, index: number): R;
  failure(error: unknown, source: T, index: number): R;
}

/** What is done with each value. */
export interface Handling<T, D, V> {
  /** Takes charge of it, as soon as it has come. */
  prepare(value: T): D;
  begin(prepared: D, observer: Observer<V>): Unsubscribable;
  /** It is never begun. */
  discard(prepared: D): void;
}

/** How much is taken at a time: so many, or as much as the gate lets in. A gate that is shut for good ends all. */
export interface Room {
  readonly concurrency: number | undefined;
  readonly gate: Gate;
  readonly scheduler: SchedulerLike;
}

// So many failures, and then the others have their turn: work may fail in the turn in which it was begun, and a source may be endless.
const FAILURES_AT_A_TIME = 100;

/**
 * Like `mergeMap`, but takes a value from its source only when there is room for it: arrays, iterables and async iterables
 * are pulled. An Observable cannot be slowed down; what it emits too fast waits here. When the source fails, or a failure is
 * thrown, nothing more is taken, and the whole fails when the work that was begun has ended: that cannot be taken back.
 */
export const pullMap = <T, D, V, R>(source: ObservableInput<T>, handling: Handling<T, D, V>, room: Room, outcomes: Outcomes<T, V, R>): Observable<R> =>
  new Observable((subscriber) => {
    const pull = new Pull(source, handling, room, outcomes, subscriber);
    subscriber.add(room.gate.watch(() => { pull.fill(); }));
    subscriber.add(pull);
    pull.fill();
  });

// Classes, not closures: what was compiled for one run serves all others as well.
class Pull<T, D, V, R> implements Demand<T, Work<T, D, V, R>>, Unsubscribable {
  readonly handling: Handling<T, D, V>;
  readonly outcomes: Outcomes<T, V, R>;
  readonly subscriber: Subscriber<R>;
  readonly #room: Room;
  readonly #supply: Supply<Work<T, D, V, R>>;
  /** The source runs in the async context of who subscribed, whoever made room. */
  readonly #give = AsyncResource.bind((): boolean => this.#supply.give());
  readonly #stop = AsyncResource.bind((): Iterable<Work<T, D, V, R>> => this.#supply.stop());
  /** A list and no Set (docs/decisions/17-what-v8-keeps.md). */
  readonly #active: Work<T, D, V, R>[] = [];
  #index = 0;
  #isFilling = false;
  #failures = 0;
  #resting: Subscription | undefined;
  #end: End | undefined;

  constructor(source: ObservableInput<T>, handling: Handling<T, D, V>, room: Room, outcomes: Outcomes<T, V, R>, subscriber: Subscriber<R>) {
    this.handling = handling;
    this.outcomes = outcomes;
    this.subscriber = subscriber;
    this.#room = room;
    this.#supply = supplyOf(source, this);
  }

  /** In a loop: a source at hand must not deepen the stack. */
  fill(): void {
    if (this.#isFilling) return;
    this.#isFilling = true;
    while (this.#end === undefined && this.#resting === undefined && this.#hasRoom && !this.subscriber.closed && this.#give());
    // Its end is all that a source could still give.
    const { refusal } = this.#room.gate;
    if (this.#end === undefined && this.#resting === undefined && refusal !== undefined) this.#fail(refusal());
    this.#isFilling = false;
    const end = this.#end;
    if (end === undefined || this.#active.length > 0) return;
    outside(() => {
      if (end.failed) this.subscriber.error(end.error);
      else this.subscriber.complete();
    });
  }

  take(value: T): Work<T, D, V, R> {
    return new Work(this, value, this.#index++);
  }

  begin(work: Work<T, D, V, R>): void {
    if (this.#end !== undefined) {
      work.discard();
      return;
    }
    const { refusal } = this.#room.gate;
    if (refusal !== undefined) {
      this.#giveUp([work]);
      this.#fail(refusal());
      return;
    }
    work.place = this.#active.push(work) - 1;
    work.begin();
  }

  end(how: End): void {
    this.#end ??= how;
  }

  /** What is thrown ends the whole. */
  failed(work: Work<T, D, V, R>, failure: unknown): void {
    this.#fail(failure);
    this.done(work);
  }

  done(work: Work<T, D, V, R>): void {
    // Its place is taken by the last one: there may be many, and they end all the time.
    const last = this.#active.pop();
    if (last !== undefined && last !== work) this.#active[last.place = work.place] = last;
    this.fill();
  }

  /** One piece of work failed, and was told. */
  tire(): void {
    if ((this.#failures += 1) % FAILURES_AT_A_TIME !== 0) return;
    this.#resting ??= this.#room.scheduler.schedule(() => {
      this.#resting = undefined;
      this.fill();
    });
  }

  get #hasRoom(): boolean {
    const { concurrency, gate } = this.#room;
    // One mail always stands in the line: beside others who keep the pool full, none would ever come in, and what a source is
    // listened to for must not be lost.
    return gate.refusal !== undefined || (concurrency === undefined ? gate.hasRoom() || this.#active.length === 0 : this.#active.length < concurrency);
  }

  /** The first failure is the one that is told, also where the source had come to its end. */
  #fail(failure: unknown): void {
    if (this.#end === undefined) this.#giveUp(this.#stop());
    if (this.#end?.failed !== true) this.#end = failed(failure);
  }

  /** What was taken and not begun must not be lost, where it is the gate that is shut. */
  #giveUp(left: Iterable<Work<T, D, V, R>>): void {
    const { refusal } = this.#room.gate;
    for (const work of left) {
      work.discard();
      if (refusal !== undefined) work.fail(refusal());
    }
  }

  unsubscribe(): void {
    this.#resting?.unsubscribe();
    // In their order: the last one begun may still be writing, and giving it up first would disturb the others.
    this.#active.splice(0).sort((a, b) => a.index - b.index).forEach((work) => { work.unsubscribe(); });
    if (this.#end !== undefined) return;
    this.#end = COMPLETE;
    for (const work of this.#stop()) work.discard();
  }
}

/** The work on one value, told among all the others. */
class Work<T, D, V, R> implements Unsubscribable, Observer<V> {
  readonly index: number;
  /** Among those that are active. */
  place = 0;
  readonly #pull: Pull<T, D, V, R>;
  readonly #value: T;
  readonly #prepared: D;
  #running: Unsubscribable | undefined;
  #isOver = false;

  constructor(pull: Pull<T, D, V, R>, value: T, index: number) {
    this.#pull = pull;
    this.#value = value;
    this.#prepared = pull.handling.prepare(value);
    this.index = index;
  }

  get closed(): boolean {
    return this.#pull.subscriber.closed;
  }

  begin(): void {
    const running = this.#pull.handling.begin(this.#prepared, this);
    if (this.#isOver) running.unsubscribe();
    else this.#running = running;
  }

  next(value: V): void {
    const { subscriber, outcomes } = this.#pull;
    subscriber.next(outcomes.value(value, this.#value, this.index));
  }

  error(error: unknown): void {
    this.#isOver = true;
    try {
      this.fail(error);
    } catch (failure) {
      this.#pull.failed(this, failure);
      return;
    }
    this.#pull.tire();
    this.#pull.done(this);
  }

  /** It is never begun. */
  discard(): void {
    this.#pull.handling.discard(this.#prepared);
  }

  /** Tells its failure. What is thrown is one of the whole. */
  fail(error: unknown): void {
    const { subscriber, outcomes } = this.#pull;
    subscriber.next(outcomes.failure(error, this.#value, this.index));
  }

  complete(): void {
    this.#isOver = true;
    this.#pull.done(this);
  }

  unsubscribe(): void {
    this.#isOver = true;
    this.#running?.unsubscribe();
  }
}
