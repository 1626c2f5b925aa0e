import type { Capabilities } from '../protocol/capabilities.js';
import type { ConnectionPlan } from '../protocol/connection-plan.js';
import type { SmtpReplyError } from '../protocol/error.js';
import type { ConnectEvent, ReadyEvent } from '../protocol/event.js';
import type { Deadline } from '../transport/clock.js';
import type { Wire } from '../wire/wire.js';
import type { SessionSettings } from './settings.js';

/** The stations of a session on its way to a mail. */
export type Stage = 'connected' | 'secured' | 'greeted' | 'introduced' | 'authenticated' | 'ready';

/** Where a session is, all that it knows there, and the events that tell of it. Immutable: each step yields the next. */
export interface State<S extends Stage = Stage> {
  readonly stage: S;
  readonly events: readonly ConnectEvent[];
  readonly plan: ConnectionPlan;
  readonly settings: SessionSettings;
  /** The current one: STARTTLS yields a new wire. */
  readonly wire: Wire;
  readonly capabilities: Capabilities;
  /** EHLO was not known here, when another plan said it. */
  readonly refusedEhlo?: SmtpReplyError;
  /** The greeting must have begun by then, an implicit TLS handshake included. */
  readonly greetBy: Deadline;
  readonly operation: Deadline;
}

/** The stations that may follow each; the diagram in docs/architecture.md is drawn from this table. */
export const FOLLOWS = {
  connected: ['secured', 'greeted'],
  secured: ['greeted', 'introduced'],
  greeted: ['introduced'],
  introduced: ['secured', 'authenticated', 'ready'],
  authenticated: ['ready'],
  ready: [],
} as const satisfies Readonly<Record<Stage, readonly Stage[]>>;

/** The stations that may follow that one. */
export type Next<S extends Stage> = (typeof FOLLOWS)[S][number];

/** A mail can start. `reused`: on a connection that was open already, where one event serves all mails. */
export const readyEvent = ({ capabilities, wire }: Pick<State, 'capabilities' | 'wire'>, reused: boolean): ReadyEvent =>
  Object.freeze({ type: 'ready', capabilities, supportedAuthentication: capabilities.authentication, secure: wire.stream.tls !== undefined, reused });
