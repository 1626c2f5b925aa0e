import { EMPTY, type Observable } from 'rxjs';
import type { ByteStream, TlsFacts } from '../../src/transport/byte-stream.js';

/** A byte stream without a socket: what is read comes from an observable, what is written is kept. */
export class FakeStream implements ByteStream {
  readonly remote = { address: '127.0.0.1', port: 25 };
  readonly local = { address: '127.0.0.1', port: 49152 };
  readonly via = undefined;
  readonly tls: TlsFacts | undefined;
  readonly unread = 0;
  readonly isGathering = false;
  readonly position = 0;
  readonly written: string[] = [];
  readonly bytes: Observable<Buffer>;
  readonly closed = EMPTY;
  destroyed = false;

  constructor(bytes: Observable<Buffer>, tls?: TlsFacts) {
    this.bytes = bytes;
    this.tls = tls;
  }

  write(chunk: string | Uint8Array): void {
    this.written.push(Buffer.from(chunk as Uint8Array).toString('latin1'));
  }

  /** What is written has left. */
  hasLeft(from: number): boolean {
    return from < Infinity;
  }

  withdraw(): boolean {
    return false;
  }

  take(bytes: Uint8Array): Observable<never> {
    this.write(bytes);
    return EMPTY;
  }

  keepProcess(): void { /* There is no process to keep. */ }

  end(): void { /* Nothing to finish. */ }

  destroy(): void {
    this.destroyed = true;
  }
}
