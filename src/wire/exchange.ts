import { Observable, Subscription } from 'rxjs';
import { Command } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import { remaining, timeoutError, type Deadline } from '../transport/clock.js';
import { expectationOf, type Expectation, type Wire } from './wire.js';

export interface ExchangeOptions {
  /** The whole operation's deadline. */
  readonly operation: Deadline;
  /** Each command waits for the reply to the one before it; false from `goOn` ends the group there. Default: all at once. */
  readonly lockstep?: { readonly goOn: (reply: Reply) => boolean };
  /** Content that goes out right behind the last command, BDAT LAST: from then on only its own reply decides. */
  readonly payload?: Uint8Array;
}

/** Who waits for the replies of an exchange. */
export interface ReplySink {
  next(reply: Reply): void;
  error(error: SmtpError): void;
  complete(): void;
}

/**
 * Commands out, their replies in by position. Listens first, then writes the whole group in one go (RFC 2920), or one
 * after the other in lock-step. A loop of plain calls: an inner observable per reply would overflow the stack at 850.
 */
export const exchange = (wire: Wire, commands: readonly Command[], options: ExchangeOptions): Observable<Reply> =>
  new Observable((subscriber) => converse(wire, commands, options, subscriber));

/** What `exchange` does, for who is an observable already. Returns its teardown. */
export const converse = (wire: Wire, commands: readonly Command[], { operation, lockstep, payload }: ExchangeOptions, sink: ReplySink): (() => void) => {
  const { timeouts } = wire.context;
  const last = commands.length - 1;
  let answered = 0;
  let lost = 0;
  let isOver = false;
  // Replies come by position, and so do failures: one sink serves all.
  const each: NonNullable<Expectation['sink']> = {
    next: (reply) => {
      const index = answered++;
      sink.next(reply);
      if (isOver) return;
      if (index === last || lockstep?.goOn(reply) === false) sink.complete();
      else if (lockstep !== undefined) ask(answered, answered + 1);
    },
    error: (error) => {
      lost += 1;
      if (payload === undefined || answered + lost === commands.length) fail(error);
    },
  };
  const fail = (error: SmtpError): void => {
    isOver = true;
    sink.error(error);
  };
  const due = commands.map((command) => expectationOf(command, timeouts, each));
  const ask = (from: number, to: number): void => {
    for (const expectation of due.slice(from, to)) wire.expect(expectation);
    if (isOver) return;
    wire.say(commands.slice(from, to));
    if (payload === undefined) return;
    wire.write(payload);
    wire.noteContent(payload.length);
  };
  const waitsFor = (): Expectation | undefined => due[payload === undefined ? answered : last];
  const expiring = expireWith(wire, operation, waitsFor, fail);
  ask(0, lockstep === undefined ? due.length : 1);
  return () => {
    isOver = true;
    expiring.unsubscribe();
    for (const expectation of due) expectation.sink = undefined;
    // The 354 that is still to come could be answered with content only.
    if (lockstep === undefined && due.some(({ phase }, index) => phase === 'data' && index >= answered)) wire.mustDrop = true;
  };
};

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
    subscriber.add(expireWith(wire, until, () => expectation, (error) => { subscriber.error(error); }));
    wire.expect(expectation);
  });

/** Tells one operation that its deadline has passed, in the phase that it is in. Others on the wire are not concerned. */
export const expireWith = (wire: Wire, end: Deadline, waitsFor: () => Pick<Expectation, 'phase'> & { readonly command: { toString(): string } } | undefined, expired: (error: SmtpError) => void): Subscription => {
  if (end.at === Infinity) return Subscription.EMPTY;
  const { scheduler, peer } = wire.context;
  return scheduler.schedule(() => {
    const { phase, command } = waitsFor() ?? { phase: 'idle' as const, command: 'nothing' };
    expired(timeoutError(scheduler, end, phase, `Waiting for ${peer} to answer ${command.toString()}`, wire.transcript()));
  }, remaining(scheduler, end.at));
};
