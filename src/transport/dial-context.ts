import { defer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { Timeouts } from '../protocol/timeouts.js';
import { before, deadline, sooner, type Deadline } from './clock.js';
import type { SocketSource } from './own-socket.js';
import type { ProxySettings } from './proxy-settings.js';
import type { LocalEndpoint, LookupFunction } from './settings.js';

/** Where a connection goes: a host name or an address, and a port. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What decides about the way to a target. */
export interface DialSettings {
  readonly timeouts: Timeouts;
  readonly lookup: LookupFunction | undefined;
  readonly localEndpoint: LocalEndpoint | undefined;
  /** The nearest first; each is reached through the one before it. */
  readonly proxies: readonly ProxySettings[];
  readonly socket: SocketSource | undefined;
}

/** When an address has its turn: the higher, the later. Those that are equal keep the order that a host's addresses are tried in. */
export type Rank = (address: string) => number;

/** What surrounds one way to a target. */
export interface DialContext {
  readonly settings: DialSettings;
  readonly operation: Deadline;
  readonly rank: Rank;
  readonly scheduler: SchedulerLike;
}

/** Fails unless a value comes within the limit of that step, counted from `subscribe`, or before the whole operation must have ended. */
export const within = <T>({ settings, operation, scheduler }: DialContext, step: 'resolve' | 'connect' | 'proxy', what: string, hint?: string): MonoTypeOperatorFunction<T> =>
  (source) => defer(() => source.pipe(before(scheduler, sooner(deadline(scheduler, step, settings.timeouts[step]), operation), step, what, undefined, hint)));
