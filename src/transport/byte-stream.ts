import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Observable } from 'rxjs';
import { bare } from '../protocol/bare.js';
import type { Endpoint } from '../protocol/connection-plan.js';
import type { CertificateSummary } from '../protocol/event.js';
import type { ChannelBinding } from '../sasl/channel-binding.js';
import { WriteBuffer } from './write-buffer.js';

/** What a TLS handshake agreed on. */
export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  readonly certificate: CertificateSummary;
  /** What a sign-in can be tied to. */
  readonly binding?: ChannelBinding | undefined;
}

/** A byte stream to the server, whatever carries it. */
export interface ByteStream {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly via: string | undefined;
  readonly tls: TlsFacts | undefined;
  /** Reads as long as it is subscribed; completes when the peer has finished, fails when the connection does. */
  readonly bytes: Observable<Buffer>;
  /** Received, and not yet given to a subscriber of `bytes`. */
  readonly unread: number;
  /** Something small, or the last of its kind: whatever is written in one turn leaves together. Nobody waits for it. */
  write(chunk: string | Uint8Array): void;
  /** Something was written in this turn and has not left: what is written now goes along. */
  readonly isGathering: boolean;
  /** Where what was written ends, gone or not: `hasLeft` and `withdraw` take such places. */
  readonly position: number;
  /** What was written from that point on has begun to leave. */
  hasLeft(from: number): boolean;
  /** Takes back what was written between two such points, unless some of it has left. */
  withdraw(from: number, to: number): boolean;
  /** Something large. Completes when the socket has taken it, so that its memory may be used again. */
  take(bytes: Uint8Array): Observable<never>;
  /** Whether the stream keeps the process alive: an idle one does not. */
  keepProcess(on: boolean): void;
  /** Finishes our side after what was written. */
  end(): void;
  destroy(): void;
  /** Completes when nothing is left of it, which is a few turns after it was destroyed. */
  readonly closed: Observable<never>;
}

/** A socket, or a stream of the caller's own, which may lack what only sockets have. */
export type SocketLike = Duplex & Partial<Pick<Socket, 'connecting' | 'ref' | 'unref' | 'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort' | 'localFamily' | 'bytesRead' | 'bytesWritten'>>;

/** A socket, or what the caller gave in its place, as a byte stream. */
export class SocketStream implements ByteStream {
  readonly socket: SocketLike;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly via: string | undefined;
  readonly tls: TlsFacts | undefined;
  readonly #out: WriteBuffer;
  #isClosed = false;

  constructor(socket: SocketLike, facts: { readonly remote?: Endpoint; readonly local?: Endpoint; readonly via?: string | undefined; readonly tls?: TlsFacts } = {}) {
    // Nothing is inherited: a stream that is secured by a polluted prototype only would carry passwords in clear text.
    const { remote, local, via, tls } = bare(facts);
    this.socket = socket;
    this.#out = new WriteBuffer(socket);
    this.remote = remote ?? endpoint(socket.remoteAddress, socket.remotePort, socket.remoteFamily);
    this.local = local ?? endpoint(socket.localAddress, socket.localPort, socket.localFamily);
    this.via = via;
    this.tls = tls;
    // A socket may fail at any time, also after its last reader went: without a listener that would end the process.
    socket.on('error', ignore);
    // Of a socket, its own "closed" is true before it is. A stream of the caller's own may never say that it is.
    if (socket instanceof Socket) socket.once('close', () => { this.#isClosed = true; });
    else this.#isClosed = true;
  }

  readonly bytes: Observable<Buffer> = new Observable<Buffer>((subscriber) => {
    const { socket } = this;
    const data = (chunk: Buffer): void => { subscriber.next(chunk); };
    const end = (): void => { subscriber.complete(); };
    const error = (failure: Error): void => { subscriber.error(failure); };
    socket.on('data', data).on('end', end).on('close', end).on('error', error);
    if (socket.destroyed || socket.readableEnded) subscriber.complete();
    // It may have been paused by the reader before.
    else socket.resume();
    return () => {
      socket.off('data', data).off('end', end).off('close', end).off('error', error);
      socket.pause();
    };
  });

  readonly closed = new Observable<never>((subscriber) => {
    const { socket } = this;
    const closed = (): void => { subscriber.complete(); };
    socket.once('close', closed);
    if (this.#isClosed) closed();
    return () => { socket.off('close', closed); };
  });

  get unread(): number {
    return this.socket.readableLength;
  }

  /** Gives back what was read too far: the next subscriber of `bytes` gets it first. */
  putBack(bytes: Buffer): void {
    if (bytes.length > 0) this.socket.unshift(bytes);
  }

  write(chunk: string | Uint8Array): void {
    this.#out.write(chunk);
  }

  get isGathering(): boolean {
    return this.#out.isGathering;
  }

  get position(): number {
    return this.#out.position;
  }

  hasLeft(from: number): boolean {
    return this.#out.hasLeft(from);
  }

  withdraw(from: number, to: number): boolean {
    return this.#out.withdraw(from, to);
  }

  take(bytes: Uint8Array): Observable<never> {
    return new Observable((subscriber) => {
      // Who reads `bytes` is told why it is never taken.
      if (this.socket.writable) this.#out.take(bytes, () => { subscriber.complete(); });
    });
  }

  keepProcess(on: boolean): void {
    if (on) this.socket.ref?.();
    else this.socket.unref?.();
  }

  end(): void {
    this.#out.flush();
    this.socket.end();
  }

  destroy(): void {
    this.#out.drop();
    this.socket.destroy();
  }
}

const ignore = (): void => { /* Whoever reads `bytes` is told. */ };

const endpoint = (address = '', port = 0, family = ''): Endpoint =>
  family === 'IPv6' || family === 'IPv4' ? { address, port, family: family === 'IPv6' ? 6 : 4 } : { address, port };
