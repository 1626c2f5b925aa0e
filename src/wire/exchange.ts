import { Observable } from 'rxjs';
import { Command } from '../protocol/command.js';
import type { Reply } from '../protocol/reply.js';
import { remaining, timeoutError, type Deadline } from '../transport/clock.js';
import { expectationOf, type Expectation, type Wire } from './wire.js';

export interface ExchangeOptions {
  /** The whole operation's deadline. */
  readonly operation: Deadline;
  /** Each command waits for the reply to the one before it; false from `goOn` ends the group there. Default: all at once. */
  readonly lockstep?: { readonly goOn: (reply: Reply) => boolean };
}

/**
 * Commands out, their replies in by position. Listens first, then writes the whole group in one go (RFC 2920), or one
 * after the other in lock-step. A loop of plain calls: an inner observable per reply would overflow the stack at 850.
 */
export const exchange = (wire: Wire, commands: readonly Command[], { operation, lockstep }: ExchangeOptions): Observable<Reply> =>
  new Observable((subscriber) => {
    const { timeouts } = wire.context;
    let answered = 0;
    const due = commands.map((command) => expectationOf(command, timeouts, {
      next: (reply) => {
        answered += 1;
        subscriber.next(reply);
        if (answered === due.length || lockstep?.goOn(reply) === false) subscriber.complete();
        else if (lockstep !== undefined && !subscriber.closed) ask(answered, answered + 1);
      },
      error: (error) => { subscriber.error(error); },
    }));
    const ask = (from: number, to: number): void => {
      const group = due.slice(from, to);
      for (const expectation of group) wire.expect(expectation);
      if (!subscriber.closed) wire.say(group.map(({ command }) => command));
    };
    subscriber.add(() => { for (const expectation of due) expectation.sink = undefined; });
    expireWith(wire, operation, due, subscriber);
    ask(0, lockstep === undefined ? due.length : 1);
  });

const GREETING = Command.of('greeting', 'the connection');

/** The server's first reply, for which nothing is written. */
export const greeting = (wire: Wire, until: Deadline): Observable<Reply> =>
  new Observable((subscriber) => {
    const expectation: Expectation = {
      command: GREETING, phase: 'greeting', limit: until.limit, ms: Infinity,
      sink: {
        next: (reply) => { subscriber.next(reply); subscriber.complete(); },
        error: (error) => { subscriber.error(error); },
      },
    };
    subscriber.add(() => { expectation.sink = undefined; });
    expireWith(wire, until, [expectation], subscriber);
    wire.expect(expectation);
  });

/** Fails with the deadline's limit, in the phase that is being waited for. */
export const expireWith = (wire: Wire, end: Deadline, due: readonly Expectation[], subscriber: { readonly closed: boolean; error(error: unknown): void; add(teardown: { unsubscribe(): void }): void }): void => {
  if (end.at === Infinity) return;
  const { scheduler, peer } = wire.context;
  subscriber.add(scheduler.schedule(() => {
    const waiting = due.find(({ sink }) => sink !== undefined);
    const phase = wire.phase === 'idle' ? waiting?.phase ?? 'idle' : wire.phase;
    wire.fail((at, command) => wireTimeout(wire, end, at, command));
    if (!subscriber.closed) subscriber.error(timeoutError(scheduler, end, phase, `Waiting for ${peer}`));
  }, remaining(scheduler, end.at)));
};

const wireTimeout = (wire: Wire, end: Deadline, phase: Expectation['phase'], command: Command) =>
  timeoutError(wire.context.scheduler, end, phase, `Waiting for ${wire.context.peer} to answer ${command.toString()}`);
