import { concat, defer, finalize, from, map, mergeMap, NEVER, of, tap, type Observable, type SchedulerLike } from 'rxjs';
import { Capabilities } from '../protocol/capabilities.js';
import type { ConnectionPlan } from '../protocol/connection-plan.js';
import type { ConnectEvent, WarningEvent } from '../protocol/event.js';
import { Redactor } from '../protocol/secret.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { deadline, type Deadline } from '../transport/clock.js';
import type { TlsSettings } from '../transport/settings.js';
import type { LogSink } from '../wire/transcript.js';
import { Wire } from '../wire/wire.js';
import type { Manners } from './manners.js';
import { Session } from './session.js';
import type { SessionSettings } from './settings.js';
import type { State } from './state.js';
import { dialogue } from './steps.js';

/** An event on the way, or at its end the session itself. */
export type Opening = ConnectEvent | { readonly type: 'session'; readonly session: Session };

/** What surrounds one connection. */
export interface SessionContext extends Surroundings {
  readonly connection: number;
  readonly scheduler: SchedulerLike;
  readonly log: LogSink;
  readonly operation: Deadline;
  /** Opens the byte stream; whoever takes it owns it. */
  readonly dial: (plan: ConnectionPlan, operation: Deadline) => Observable<ByteStream>;
}

/** What outlives it: who gets it next, and what is known of its server. */
export interface Surroundings extends Succession {
  readonly manners: Manners;
}

/** Who gets a connection after us. */
export interface Succession {
  /** Is given the wire when the session ends, to say goodbye. */
  readonly leave: (wire: Wire) => void;
  /** May take over where the dialogue failed: true if it owns the connection from now on. */
  readonly handOver: (state: State, error: unknown) => boolean;
}

/**
 * A connection on which mails can be sent, as a cold observable that lives exactly as long as its subscription: it walks
 * the dialogue, emits each event and then the session, and stays. Unsubscribing leaves the server.
 */
export const openSession = (plan: ConnectionPlan, settings: SessionSettings, context: SessionContext): Observable<Opening> =>
  defer(() => {
    const { scheduler, operation, log, connection } = context;
    const redactor = new Redactor();
    if (settings.credentials?.kind === 'password') redactor.conceal(settings.credentials.pass.reveal());
    const begin = (stream: ByteStream): State => {
      const wire = new Wire(stream, { peer: `${plan.host}:${String(plan.port)}`, connection, timeouts: settings.timeouts, scheduler, redactor, log });
      const { remote, local, via } = stream;
      return {
        stage: 'connected',
        events: [{ type: 'connected', remote, local, ...(via === undefined ? {} : { via }) }, ...(plan.security === 'none' ? [] : skippedVersions(settings.tls))],
        plan, settings, wire, operation, capabilities: Capabilities.none, hasGreeted: false, isAuthenticated: false,
        greetBy: deadline(scheduler, 'greeting', settings.timeouts.greeting),
      };
    };
    return walk(context.dial(plan, operation).pipe(map(begin)), context);
  });

/** The same on a connection that another plan has left behind: the dialogue goes on where it stands. */
export const resumeSession = (state: State, surroundings: Surroundings): Observable<Opening> => walk(of(state), surroundings);

const walk = (start$: Observable<State>, { leave, handOver, manners }: Surroundings): Observable<Opening> =>
  defer(() => {
    let owned: State | undefined;
    const openings = (state: State): readonly Opening[] => {
      owned = state;
      return state.stage === 'ready' ? [...state.events, { type: 'session', session: new Session(state, manners) }] : state.events;
    };
    return concat(start$.pipe(mergeMap(dialogue), mergeMap((state) => from(openings(state)))), NEVER).pipe(
      tap({ error: (error: unknown) => { if (owned !== undefined && handOver(owned, error)) owned = undefined; } }),
      finalize(() => { if (owned !== undefined) leave(owned.wire); }),
    );
  });

const skippedVersions = ({ versions, skippedVersions: skipped }: TlsSettings): readonly WarningEvent[] =>
  skipped.length === 0 ? [] : [{ type: 'warning', code: 'W_TLS_VERSION', message: `tls.versions names ${skipped.join(', ')}, which this runtime cannot do: left out. Offered: ${versions.join(', ')}.` }];
