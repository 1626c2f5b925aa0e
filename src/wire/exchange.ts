import { Observable, Subscription } from 'rxjs';
import { Command } from '../protocol/command.js';
import type { Reply } from '../protocol/reply.js';
import { remaining, type Deadline } from '../transport/clock.js';
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
    subscriber.add(expireWith(wire, operation));
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
    subscriber.add(expireWith(wire, until));
    wire.expect(expectation);
  });

/** Ends the wire when the operation's deadline passes: who waits is told, each in its own phase. */
export const expireWith = (wire: Wire, end: Deadline): Subscription => {
  if (end.at === Infinity) return Subscription.EMPTY;
  const { scheduler } = wire.context;
  return scheduler.schedule(() => { wire.expire(end); }, remaining(scheduler, end.at));
};
