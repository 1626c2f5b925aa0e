import { Observable, Subscription, type Unsubscribable } from 'rxjs';
import { Command } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import { remaining, type Deadline } from '../transport/clock.js';
import { timeoutError } from '../transport/timeout-error.js';
import { Expectation, type ReplySink } from './expectation.js';
import { waitingFor } from './failures.js';
import type { Wire } from './wire.js';

/**
 * Commands out in one write (RFC 2920), their replies in by position.
 * @param operation the deadline of all that they are a part of.
 */
export const exchange = (wire: Wire, commands: readonly Command[], operation: Deadline): Observable<Reply> =>
  new Observable((subscriber) => converse(wire, commands, operation, subscriber));

/** Each command waits for the reply to the one before it, if that lets it go on. */
export const exchangeInTurn = (wire: Wire, commands: readonly Command[], operation: Deadline, goOn: (reply: Reply, index: number) => boolean): Observable<Reply> =>
  new Observable((subscriber) => {
    let mayGoOn = false;
    let turn: Unsubscribable = Subscription.EMPTY;
    // A loop of plain calls: an inner observable per reply would overflow the stack at 850.
    const ask = (index: number): Unsubscribable =>
      converse(wire, commands.slice(index, index + 1), operation, {
        next: (reply) => {
          subscriber.next(reply);
          mayGoOn = goOn(reply, index);
        },
        error: (error) => { subscriber.error(error); },
        complete: () => {
          turn.unsubscribe();
          if (!mayGoOn || index + 1 === commands.length) subscriber.complete();
          else if (!subscriber.closed) turn = ask(index + 1);
          // The wire may have ended behind that reply.
          if (subscriber.closed) turn.unsubscribe();
        },
      });
    turn = ask(0);
    return () => { turn.unsubscribe(); };
  });

/** What `exchange` does, for who is told directly. Listens first, then writes; content goes out right behind its BDAT LAST. */
export const converse = (wire: Wire, commands: readonly Command[], operation: Deadline, sink: ReplySink, content?: Uint8Array): Unsubscribable => {
  const expectation = new Expectation(commands, sink, content !== undefined);
  const conversation = new Conversation(wire, expectation, operation.at === Infinity ? undefined : expireWith(wire, operation, () => expectation, (error) => { sink.error(error); }));
  wire.expect(expectation);
  if (!wire.failed) {
    expectation.from = wire.stream.position;
    wire.say(commands);
    if (content !== undefined) wire.write(content);
    expectation.to = wire.stream.position;
    wire.note(commands, content?.length);
  }
  return conversation;
};

/** Commands that went out, and their replies that somebody waits for. */
class Conversation implements Unsubscribable {
  readonly #wire: Wire;
  readonly #expectation: Expectation;
  readonly #expiring: Unsubscribable | undefined;

  constructor(wire: Wire, expectation: Expectation, expiring: Unsubscribable | undefined) {
    this.#wire = wire;
    this.#expectation = expectation;
    this.#expiring = expiring;
  }

  unsubscribe(): void {
    this.#expiring?.unsubscribe();
    this.#expectation.sink = undefined;
    // What has not left is not sent at all.
    if (this.#expectation.isAnswered || this.#wire.withdraw(this.#expectation)) return;
    // The 354 that is still to come could be answered with content only.
    if (this.#expectation.commands.at(-1)?.phase === 'data') this.#wire.mustDrop = true;
  }
}

const GREETING = Command.of('greeting', 'the connection');

/**
 * The server's first reply, for which nothing is written. A silent door has no more time than `beginBy`. Some begin to greet at once and end it
 * seconds later, to find out who speaks first (Postfix's postscreen). Both limits leave the wire as it is: a connection that stayed silent may
 * be asked with TLS instead.
 */
export const greeting = (wire: Wire, beginBy: Deadline, operation: Deadline): Observable<Reply> =>
  new Observable((subscriber) => {
    const { peer, scheduler, timeouts } = wire.context;
    const expectation = new Expectation([GREETING], subscriber);
    const endBy: Deadline = { ...beginBy, at: beginBy.since + timeouts.greeting };
    const ring = (limit: Deadline, then: () => void): void => { subscriber.add(scheduler.schedule(then, remaining(scheduler, limit.at))); };
    const fail = (limit: Deadline, what: string, hint?: string): void => { subscriber.error(timeoutError(scheduler, limit, 'greeting', what, [], hint)); };
    ring(beginBy, () => {
      if (wire.silent) fail(beginBy, `Waiting for ${peer} to greet ${wire.stream.tls === undefined ? 'in clear text (a door for implicit TLS stays silent)' : 'over TLS'}`);
      else ring(endBy, () => { fail(endBy, `Waiting for the end of the greeting of ${peer}`, 'Try again later, or raise that limit.'); });
    });
    subscriber.add(expireWith(wire, operation, () => expectation, (error) => { subscriber.error(error); }));
    subscriber.add(() => { expectation.sink = undefined; });
    wire.expect(expectation);
  });

/** Tells one operation that its deadline has passed, in the phase that it is in. Others on the wire are not concerned. */
export const expireWith = (wire: Wire, end: Deadline, waitsFor: () => Expectation, expired: (error: SmtpError) => void): Subscription => {
  if (end.at === Infinity) return Subscription.EMPTY;
  const { scheduler, peer } = wire.context;
  return scheduler.schedule(() => {
    const { command: first, decisive: { phase, command }, isOwed } = waitsFor();
    expired(timeoutError(scheduler, end, phase, isOwed ? waitingFor(peer, command, first) : `Reading the message's own content, and sending it to ${peer}`, wire.transcript()));
  }, remaining(scheduler, end.at));
};
