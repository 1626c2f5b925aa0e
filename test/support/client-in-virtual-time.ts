import { concat, EMPTY, ignoreElements, of, timer, type Observable, type Observer, type Unsubscribable } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { draft, type Mail } from '../../src/message/mail.js';
import { Pool } from '../../src/pool/pool.js';
import type { PoolSettings } from '../../src/pool/settings.js';
import type { SmtpEvent } from '../../src/protocol/event.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Timeouts } from '../../src/protocol/timeouts.js';
import type { Opening } from '../../src/session/open-session.js';
import { transact } from '../../src/session/transaction.js';
import { deadline } from '../../src/transport/clock.js';
import { Answering } from './answering.js';
import { MAIL } from './clear-client.js';
import type { FakeStream } from './fake-stream.js';
import { sessionOn, wireOn } from './fake-wire.js';

interface Surroundings {
  readonly without?: readonly string[];
  readonly pool?: Partial<PoolSettings>;
  readonly timeouts?: Partial<Timeouts>;
  readonly slowness?: number;
  /** Of each connection (ms), its sign-in where it `greets` at once. */
  readonly opening?: readonly number[];
  readonly greets?: boolean;
  /** The limit of each mail (ms). */
  readonly operation?: number;
}

/** A client in virtual time: what it connects to, and when its mails were accepted. */
export const clientIn = (scheduler: TestScheduler, { without = [], pool: settings, timeouts = {}, slowness = 1, opening = [], greets = false, operation: limit = Infinity }: Surroundings = {}) => {
  const pool = new Pool({ maxConnections: 5, maxMessages: 100, maxAge: Infinity, idleTimeout: 55_000, rate: undefined, ...settings }, scheduler);
  const streams: Answering[] = [];
  const ends: (number | string)[] = [];
  const open = (): Observable<Opening> => {
    const stream = new Answering(scheduler, slowness);
    streams.push(stream);
    const session = sessionOn(wireOn(stream, { scheduler, timeouts }), ['PIPELINING', 'CHUNKING'].filter((offer) => !without.includes(offer)));
    const wait = opening[streams.length - 1];
    const { remote, local } = stream;
    const connected$ = of<Opening>({ type: 'connected', remote, local });
    const greeted$ = of<Opening>({ type: 'greeted', reply: makeReply(220, ['mail.example']) });
    const session$ = of<Opening>({ type: 'session', session });
    const waited$ = wait === undefined ? EMPTY : timer(wait, scheduler).pipe(ignoreElements());
    return greets ? concat(connected$, greeted$, waited$, session$) : concat(connected$, waited$, greeted$, session$);
  };
  const observer: Observer<SmtpEvent> = { next: () => undefined, error: (error: unknown) => { ends.push(String(error)); }, complete: () => { ends.push(scheduler.now()); } };
  const send = (): Unsubscribable => {
    const mail = draft(MAIL) as Mail;
    const operation = deadline(scheduler, 'operation', limit);
    return pool.use({ operation, open, run: (claim, observer) => transact(claim, { mail, part: undefined, content: mail.open(), operation }, observer), goesOn: () => false, end: () => undefined, failure: (error) => error }, observer, pool.enter());
  };
  return { pool, send, streams, ends };
};

/** How many were begun on a connection. */
export const mailsOn = ({ written }: FakeStream): number => written.join('').match(/^MAIL/gm)?.length ?? 0;
