import { isIP, Socket } from 'node:net';
import { catchError, concatMap, connect, count, EMPTY, map, merge, Observable, take, throwIfEmpty, timer, type SchedulerLike } from 'rxjs';
import { bare } from '../protocol/bare.js';
import { hostAndPort, type Endpoint } from '../protocol/connection-plan.js';
import { SmtpConnectionError, SmtpError, SmtpUsageError } from '../protocol/error.js';
import { SocketStream } from './byte-stream.js';
import { within, type DialContext, type Rank, type Target } from './dial-context.js';
import { bindingFor } from './local-endpoint.js';
import { resolve, type ResolvedAddress } from './resolve.js';
import type { LocalEndpoint } from './settings.js';
import { NOT_PERMITTED, remedyHere } from './this-machine.js';

// RFC 8305 section 5: so long an address is tried alone before the next one is tried beside it.
const HEAD_START = 250;

// A name may resolve to any number of addresses; nobody waits for more than these.
const MOST_ADDRESSES = 16;

// After so long without a byte (ms) the system asks the other end whether it is still there: routers on the way forget a line that is silent for minutes.
const SILENCE = 60_000;

// What answers at all does so within a few repeated SYNs. A firewall that drops them must leave time for the next address or door.
const PATIENCE = 10_000;

/** One address that was tried, and how that ended. */
interface Failure {
  readonly remote: Endpoint;
  readonly error: NodeJS.ErrnoException;
}

/**
 * A TCP connection to the first address of a host that answers (RFC 8305): the next one is tried when the one before has
 * failed, or beside it when it takes its time. Emits the stream once and completes; whoever took it owns it. Everything
 * else that is under way is closed then, and when it is unsubscribed from.
 */
export const tcp = (target: Target, context: DialContext): Observable<SocketStream> =>
  resolve(target.host, context).pipe(
    map((addresses) => inTheirTurn(addresses, context.rank)),
    concatMap((addresses) => toAnyOf(addresses, target, context).pipe(
      within(context, 'connect', `Connecting to ${hostAndPort(target)} (${addresses.map(({ address }) => address).join(', ')})`),
    )),
  );

const toAnyOf = (remotes: readonly ResolvedAddress[], target: Target, { settings: { localEndpoint, timeouts }, scheduler }: DialContext): Observable<SocketStream> => {
  const failures: Failure[] = [];
  // A longer limit for all of them is a longer one for each.
  const patience = Math.max(PATIENCE, timeouts.connect / 6);
  const from = (index: number): Observable<SocketStream> => {
    const resolved = remotes[index];
    if (resolved === undefined) return EMPTY;
    const remote: Endpoint = { ...resolved, port: target.port };
    const attempt$ = to(remote, localEndpoint, patience, scheduler).pipe(
      catchError((error: unknown) => {
        if (error instanceof SmtpError) throw error;
        failures.push({ remote, error: error as NodeJS.ErrnoException });
        return EMPTY;
      }),
    );
    if (index === remotes.length - 1) return attempt$;
    return attempt$.pipe(
      connect((attempt) => merge(
        attempt,
        merge(timer(HEAD_START, scheduler), attempt.pipe(count())).pipe(take(1), concatMap(() => from(index + 1))),
      )),
    );
  };
  return from(0).pipe(take(1), throwIfEmpty(() => connectError(target, failures, localEndpoint)));
};

/** Those that are tried. Which of them are too many is decided last: neither a family nor what is well gives way to what has failed. */
const inTheirTurn = (addresses: readonly ResolvedAddress[], rank: Rank): readonly ResolvedAddress[] =>
  alternating(addresses).toSorted((a, b) => rank(a.address) - rank(b.address)).slice(0, MOST_ADDRESSES);

/** RFC 8305 section 4: the families take turns, so that a family that goes nowhere costs one head start. */
const alternating = (addresses: readonly ResolvedAddress[]): readonly ResolvedAddress[] => {
  const preferred = addresses.filter(({ family }) => family === addresses[0]?.family);
  const other = addresses.filter(({ family }) => family !== addresses[0]?.family);
  return [...preferred.flatMap((address, index) => [address, ...other.slice(index, index + 1)]), ...other.slice(preferred.length)];
};

const to = (remote: Endpoint, localEndpoint: LocalEndpoint | undefined, patience: number, scheduler: SchedulerLike): Observable<SocketStream> =>
  new Observable((subscriber) => {
    const { address, port } = bindingFor(localEndpoint, remote);
    if (address !== undefined && isIP(address) !== remote.family) {
      subscriber.error(Object.assign(new Error(`${address} cannot reach ${remote.address}`), { code: OTHER_FAMILY }));
      return;
    }
    let handedOver = false;
    // Not net.connect(), which leaves something of each socket behind (docs/decisions/17-what-v8-keeps.md).
    const socket = new Socket().setNoDelay().setKeepAlive(true, SILENCE).connect(bare({
      host: remote.address, port: remote.port,
      ...(address === undefined ? {} : { localAddress: address }),
      ...(port === undefined || port === 0 ? {} : { localPort: port }),
    }));
    const failed = (error: NodeJS.ErrnoException): void => {
      // So libuv says of a bound address for which no port is free.
      if (error.code === 'EADDRINUSE' && error.syscall === 'connect' && (port ?? 0) === 0) error.code = NOT_AVAILABLE;
      // So Linux says of a firewall on the way that forbids it, by ICMPv6; by ICMP it says the other.
      if (error.code === 'EACCES' && error.syscall === 'connect' && remote.family === 6) error.code = 'EHOSTUNREACH';
      subscriber.error(error);
    };
    socket.once('connect', () => {
      handedOver = true;
      const stream = new SocketStream(socket, { remote });
      // What a socket holds can outlive it (docs/decisions/17-what-v8-keeps.md).
      socket.off('error', failed);
      subscriber.next(stream);
      subscriber.complete();
    });
    socket.on('error', failed);
    subscriber.add(scheduler.schedule(() => { failed(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })); }, patience));
    return () => { if (!handedOver) socket.destroy(); };
  });

const OTHER_FAMILY = 'EAFNOSUPPORT';

/** No such address is ours, where `bind` says so; no port is free, where `connect` does. */
const NOT_AVAILABLE = 'EADDRNOTAVAIL';

// These say something about this machine or its rules, not about the server: trying again changes nothing.
const OURS = new Set(['EACCES', 'EPERM', NOT_AVAILABLE, 'EADDRINUSE', 'EINVAL', OTHER_FAMILY, NOT_PERMITTED]);

/** One family may be missing on this machine, or where it is bound; what the other one met tells more. */
const vagueness = (code: string): number => (code === OTHER_FAMILY ? 3 : OURS.has(code) ? 2 : code === 'ENETUNREACH' ? 1 : 0);

const connectError = (target: Target, failures: readonly Failure[], localEndpoint: LocalEndpoint | undefined): SmtpError => {
  const codes = failures.map(({ error }) => error.code ?? 'UNKNOWN');
  if (localEndpoint !== undefined && codes.every((code) => code === OTHER_FAMILY)) return new SmtpUsageError({
    phase: 'connect',
    message: `The option "localEndpoint" and ${target.host} (${failures.map(({ remote }) => remote.address).join(', ')}) have no address family in common. Bind an address of the family that the server has.`,
  });
  const [reason = 'UNKNOWN'] = codes.toSorted((a, b) => vagueness(a) - vagueness(b));
  const each = failures.map(({ remote, error }) => `${remote.address}: ${error.code ?? error.message}`).join(', ');
  const [first] = failures;
  const isOutOfPorts = reason === NOT_AVAILABLE && failures.every(({ error: { code, syscall } }) => code !== NOT_AVAILABLE || syscall === 'connect');
  return new SmtpConnectionError('E_CONNECT', {
    phase: 'connect', reason, retryable: isOutOfPorts || !OURS.has(reason),
    cause: failures.length === 1 ? first?.error : new AggregateError(failures.map(({ error }) => error), 'every address failed'),
    message: `No connection to ${hostAndPort(target)} (${each}). ${isOutOfPorts ? NO_PORT : connectHint(reason)}`,
  });
};

const NO_PORT = 'This machine has no free port to connect from, or no address to do it with: send several mails on a connection, and leave "localEndpoint.port" out.';

const connectHint = (reason: string): string =>
  remedyHere(reason) ?? (OURS.has(reason) ? 'Check the option "localEndpoint" and what this machine may open.' : 'Check the host and port, whether the server runs, and whether a firewall is in between.');
