import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { concatMap, defer, Observable, of, take, tap, throwIfEmpty, type ObservableInput } from 'rxjs';
import { codeOf, reasonOf, SmtpConnectionError, SmtpError, SmtpUsageError } from '../protocol/error.js';
import { printable } from '../protocol/printable.js';
import { SocketStream, type SocketLike } from './byte-stream.js';
import { mapError } from './map-error.js';
import { fromOutside } from './outside.js';
import { soon } from './soon.js';
import { remedyHere } from './this-machine.js';

/** The path of a Unix socket, or a function that returns a stream for each connection. */
export type SocketSource = string | (() => ObservableInput<Duplex>);

/** A stream that does not come from a host and port. Emits it once and completes: whoever took it owns it. */
export const ownSocket = (source: SocketSource): Observable<SocketStream> =>
  (typeof source === 'string' ? defer(() => connected(connectSocket({ path: source }), { remote: { address: source, port: 0 } })) : given(source)).pipe(
    mapError((error) => (error instanceof SmtpError ? error : socketError(source, error))),
  );

const given = (open: () => ObservableInput<Duplex>): Observable<SocketStream> =>
  defer(() => closingLateComers(theStream(open()))).pipe(
    take(1),
    throwIfEmpty(() => new SmtpUsageError({ phase: 'connect', message: 'The function in the option "socket" gave no stream.' })),
    // Nobody knows what carries it, nor how far it reaches.
    concatMap((stream) => connected(checked(stream), { via: 'socket' })),
  );

/** A stream can be iterated as well, and what that gives are its bytes. */
const theStream = (input: ObservableInput<Duplex>): ObservableInput<Duplex> => (isStream(input) ? of(input) : input);

const isStream = (value: unknown): value is Duplex => {
  const { write, pause } = (value ?? {}) as Partial<Duplex>;
  return typeof write === 'function' && typeof pause === 'function';
};

/** An observable is cancelled by unsubscribing. A promise is not: what it brings after that is closed. */
const closingLateComers = (input: ObservableInput<Duplex>): Observable<Duplex> =>
  new Observable((subscriber) => {
    let arrived = false;
    if (isPromiseLike(input)) subscriber.add(() => { if (!arrived) void input.then((stream: unknown) => { if (isStream(stream)) stream.destroy(); }, () => { /* Nothing came. */ }); });
    fromOutside(input).pipe(tap(() => { arrived = true; })).subscribe(subscriber);
  });

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> => typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';

const checked = (stream: unknown): Duplex => {
  const { readableObjectMode, readableEncoding } = (stream ?? {}) as Partial<Duplex>;
  if (!isStream(stream) || readableObjectMode === true || (readableEncoding ?? null) !== null) throw new SmtpUsageError({ phase: 'connect', message: 'The function in the option "socket" must give a duplex stream of bytes: not in object mode, and without an encoding.' });
  return stream;
};

const connected = (socket: SocketLike, facts: ConstructorParameters<typeof SocketStream>[1]): Observable<SocketStream> =>
  new Observable((subscriber) => {
    let handedOver = false;
    const failed = (error: Error): void => { subscriber.error(error); };
    const handOver = (): void => {
      handedOver = true;
      const stream = new SocketStream(socket, facts);
      socket.off('error', failed);
      subscriber.next(stream);
      subscriber.complete();
    };
    // It may fail more than once, and also when nobody waits for it any more.
    socket.on('error', failed);
    // What failed in this very turn tells why in a moment. What was closed before says nothing more.
    if (socket.destroyed) soon(failed, closedAlready());
    else if (socket.connecting === true) socket.once('connect', handOver);
    else handOver();
    return () => { if (!handedOver) socket.destroy(); };
  });

const closedAlready = (): SmtpUsageError =>
  new SmtpUsageError({ phase: 'connect', message: 'The function in the option "socket" gave a stream that is closed already. Open a new one in each call.' });

const socketError = (source: SocketSource, error: unknown): SmtpConnectionError => {
  const code = codeOf(error);
  const reason = code ?? 'UNKNOWN';
  return new SmtpConnectionError('E_CONNECT', {
    phase: 'connect', reason, cause: error,
    retryable: reason === 'ECONNREFUSED' || reason === 'EAGAIN' || reason === 'ECONNRESET',
    message: typeof source === 'string'
      ? `No connection to ${printable(source)} (${reason}). ${remedyHere(reason) ?? 'Check the path in the option "socket", whether the server runs, and who may open it.'}`
      : `The function in the option "socket" failed (${code ?? reasonOf(error)}); see the cause.`,
  });
};
