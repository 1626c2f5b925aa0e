import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { connect as connectSocket, isIP, type LookupFunction } from 'node:net';
import { concatMap, defer, Observable, of, type SchedulerLike } from 'rxjs';
import type { Endpoint } from '../protocol/connection-plan.js';
import { SmtpConnectionError, SmtpUsageError } from '../protocol/error.js';
import type { Timeouts } from '../protocol/timeouts.js';
import { SocketStream } from './byte-stream.js';
import { before, deadline, sooner, type Deadline } from './clock.js';
import type { LocalEndpoint } from './settings.js';

export interface DialSettings {
  readonly timeouts: Timeouts;
  readonly lookup?: LookupFunction | undefined;
  readonly localEndpoint?: LocalEndpoint | undefined;
}

// A name may resolve to any number of addresses; nobody waits for more than these.
const MOST_ADDRESSES = 16;

/**
 * A TCP connection to the first address that answers (RFC 8305, Node's own). Emits it once and completes: whoever took
 * it owns it. Unsubscribing before that closes whatever is under way.
 */
export const dial = (host: string, port: number, settings: DialSettings, operation: Deadline, scheduler: SchedulerLike): Observable<SocketStream> => {
  const limit = (name: 'resolve' | 'connect'): Deadline => sooner(deadline(scheduler, name, settings.timeouts[name]), operation);
  const peer = `${host}:${String(port)}`;
  return defer(() => resolve(host, settings.lookup).pipe(before(scheduler, limit('resolve'), 'resolve', `Resolving ${host}`))).pipe(
    concatMap((addresses) => connect(host, port, addresses, settings.localEndpoint).pipe(before(scheduler, limit('connect'), 'connect', `Connecting to ${peer}`))),
  );
};

const resolve = (host: string, lookup: LookupFunction = systemLookup): Observable<readonly LookupAddress[]> => {
  const family = isIP(host);
  if (family !== 0) return of([{ address: host, family }]);
  return new Observable((subscriber) => {
    lookup(host, { all: true }, (error, found, foundFamily) => {
      if (error) subscriber.error(resolveError(host, error));
      else {
        const addresses = typeof found === 'string' ? [{ address: found, family: foundFamily ?? isIP(found) }] : found;
        if (addresses.length === 0) subscriber.error(resolveError(host, Object.assign(new Error('no address'), { code: 'ENODATA' })));
        else subscriber.next(addresses.slice(0, MOST_ADDRESSES));
        subscriber.complete();
      }
    });
  });
};

const resolveError = (host: string, error: NodeJS.ErrnoException): SmtpConnectionError => {
  const reason = error.code ?? 'UNKNOWN';
  const final = reason === 'ENOTFOUND' || reason === 'ENODATA';
  return new SmtpConnectionError('E_DNS', {
    phase: 'resolve', reason, retryable: !final, cause: error,
    message: `The host name ${host} has no address (${reason}). ${final ? 'Check the option "host".' : 'The resolver did not answer; try again later.'}`,
  });
};

const connect = (host: string, port: number, addresses: readonly LookupAddress[], localEndpoint?: LocalEndpoint): Observable<SocketStream> =>
  new Observable((subscriber) => {
    const local = localFor(localEndpoint, { address: addresses[0]?.address ?? host, port });
    const family = local.address === undefined ? 0 : isIP(local.address);
    const candidates = family === 0 ? addresses : addresses.filter((address) => address.family === family);
    if (candidates.length === 0) {
      subscriber.error(new SmtpUsageError({ phase: 'connect', message: `The local address ${local.address ?? ''} and ${host} have no address family in common. Bind an address of the family that the server has.` }));
      return;
    }
    let handedOver = false;
    const socket = connectSocket({
      host, port, noDelay: true, autoSelectFamily: true,
      ...(local.address === undefined ? {} : { localAddress: local.address }),
      ...(local.port === undefined || local.port === 0 ? {} : { localPort: local.port }),
      lookup: (_host, _options, found) => { found(null, [...candidates]); },
    });
    socket.once('connect', () => {
      handedOver = true;
      subscriber.next(new SocketStream(socket));
      subscriber.complete();
    });
    socket.on('error', (error) => { subscriber.error(connectError(host, port, error)); });
    return () => { if (!handedOver) socket.destroy(); };
  });

const localFor = (local: LocalEndpoint | undefined, remote: Endpoint): { readonly address?: string; readonly port?: number } => {
  if (local === undefined) return {};
  if (typeof local === 'string') return { address: local };
  return typeof local === 'function' ? local(remote) : local;
};

// These say something about this machine or its rules, not about the server: trying again changes nothing.
const OURS = new Set(['EACCES', 'EPERM', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EINVAL', 'EAFNOSUPPORT']);

const connectError = (host: string, port: number, error: NodeJS.ErrnoException): SmtpConnectionError => {
  const tries = error instanceof AggregateError ? (error.errors as (NodeJS.ErrnoException & { address?: string })[]) : [error as NodeJS.ErrnoException & { address?: string }];
  const reason = tries[0]?.code ?? error.code ?? 'UNKNOWN';
  const each = tries.map((failure) => `${failure.address ?? host}: ${failure.code ?? failure.message}`).join(', ');
  return new SmtpConnectionError('E_CONNECT', {
    phase: 'connect', reason, retryable: !OURS.has(reason), cause: error,
    message: `No connection to ${host}:${String(port)} (${each}). ${OURS.has(reason) ? 'Check the option "localEndpoint" and what this machine may open.' : 'Check the host and port, and whether a firewall is in between.'}`,
  });
};
