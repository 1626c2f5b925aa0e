import { map, Observable, of, type SchedulerLike } from 'rxjs';
import { Capabilities } from '../protocol/capabilities.js';
import { hostAndPort, type ConnectionPlan } from '../protocol/connection-plan.js';
import type { ConnectEvent } from '../protocol/event.js';
import { Redactor } from '../protocol/redactor.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { deadline, type Deadline } from '../transport/clock.js';
import { secretOf } from '../transport/proxy-settings.js';
import type { LogSink } from '../wire/transcript.js';
import { Wire } from '../wire/wire.js';
import type { Manners } from './manners.js';
import { Session } from './session.js';
import type { SessionSettings } from './settings.js';
import type { State } from './state.js';
import { dialogue } from './steps.js';
import { skippedVersions, weakProxies } from './weak-tls.js';

/** An event on the way, or at its end the session itself. */
export type Opening = ConnectEvent | { readonly type: 'session'; readonly session: Session };

/** What one connection is for. */
interface SessionContext {
  readonly plan: ConnectionPlan;
  readonly settings: SessionSettings;
  readonly operation: Deadline;
  readonly scheduler: SchedulerLike;
  readonly log: LogSink;
  /** Counts the client's connections. */
  readonly connection: number;
}

/** What outlives it: who gets it next, and what is known of its server. */
interface Surroundings {
  readonly leave: Leave;
  readonly handOver: HandOver;
  readonly manners: Manners;
}

/** Is given the wire when the session ends, to say goodbye. */
export type Leave = (wire: Wire) => void;

/** May take over where the dialogue failed: true if it owns the connection from now on. */
export type HandOver = (state: State, error: unknown) => boolean;

/**
 * A connection on which mails can be sent, as a cold observable that lives exactly as long as its subscription: it walks
 * the dialogue, emits each event and then the session, and stays. Unsubscribing leaves the server.
 * @param stream$ opens the byte stream; whoever takes it owns it.
 */
export const openSession = (stream$: Observable<ByteStream>, context: SessionContext, surroundings: Surroundings): Observable<Opening> =>
  walk(stream$.pipe(map((stream) => connected(stream, context, surroundings))), surroundings);

const connected = (stream: ByteStream, { plan, settings, operation, scheduler, log, connection }: SessionContext, { manners: { replies } }: Surroundings): State => {
  const { timeouts, tls, proxies } = settings;
  const { remote, local, via } = stream;
  const event: ConnectEvent = via === undefined ? { type: 'connected', remote, local } : { type: 'connected', remote, local, via };
  return {
    stage: 'connected',
    events: [event, ...weakProxies(proxies), ...(plan.security === 'none' ? [] : skippedVersions(tls))],
    plan, settings, operation, capabilities: Capabilities.none,
    wire: new Wire(stream, { peer: hostAndPort(plan), connection, timeouts, scheduler, redactor: redactorFor(settings), log, replies }),
    greetBy: deadline(scheduler, 'greeting', settings.silence),
  };
};

/** Hides what the client signs in with. What comes through a proxy may speak of how it was signed in to there. */
const redactorFor = ({ credentials, proxies }: SessionSettings): Redactor => {
  const redactor = new Redactor();
  if (credentials?.kind === 'password') redactor.conceal(credentials.pass);
  proxies.forEach((proxy) => { redactor.conceal(secretOf(proxy)); });
  if (credentials?.kind === 'token') credentials.tokens.known.forEach((token) => { redactor.conceal(token); });
  return redactor;
};

/** The same on a connection that another plan has left behind: the dialogue goes on where it stands. */
export const resumeSession = (state: State, surroundings: Surroundings): Observable<Opening> => walk(of(state), surroundings);

/** Walks the dialogue from there, tells what each station brings, and owns the connection until the end: it is left, or handed over. */
const walk = (start$: Observable<State>, { leave, handOver, manners }: Surroundings): Observable<Opening> =>
  new Observable((subscriber) => {
    let owned: State | undefined;
    subscriber.add(start$.pipe(dialogue).subscribe({
      next: (state) => {
        owned = state;
        for (const event of state.events) subscriber.next(event);
        if (state.stage === 'ready') subscriber.next({ type: 'session', session: new Session(state, manners) });
      },
      error: (error: unknown) => {
        if (owned !== undefined && handOver(owned, error)) owned = undefined;
        subscriber.error(error);
      },
    }));
    subscriber.add(() => { if (owned !== undefined) leave(owned.wire); });
  });
