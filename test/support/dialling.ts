import { once } from 'node:events';
import { createServer, type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import { settings, type SmtpOptions } from '../../src/config/options.js';
import { SmtpError } from '../../src/index.js';
import type { SocketStream } from '../../src/transport/byte-stream.js';
import { deadline } from '../../src/transport/clock.js';
import { dial } from '../../src/transport/dial.js';
import type { Rank } from '../../src/transport/dial-context.js';

/** The way that these options mean to `host:port`. */
export const way = (port: number, options: SmtpOptions, scheduler: SchedulerLike = asyncScheduler, rank: Rank = () => 0): Observable<SocketStream> => {
  const checked = settings(options);
  return dial({ host: checked.host, port }, { settings: checked, operation: deadline(scheduler, 'operation', Infinity), scheduler, rank });
};

export const failureOf = (stream$: Observable<SocketStream>): Promise<SmtpError> =>
  new Promise((resolve, reject) => {
    stream$.subscribe({
      next: (stream) => { stream.destroy(); reject(new Error('It opened.')); },
      error: (error: unknown) => { if (error instanceof SmtpError) resolve(error); else reject(new Error('not an SmtpError', { cause: error })); },
    });
  });

/** A resolver that knows one answer. */
export const answers = (...addresses: readonly string[]): LookupFunction => (_host, _options, found) => {
  found(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
};

export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** All that were ever made. */
  readonly connections: readonly Socket[];
  /** Resolves when so many were made. */
  accepted(count: number): Promise<void>;
  /** Resolves when none is open. */
  idle(): Promise<void>;
}

/** Something that listens and says nothing by itself. */
export const listen = async (where: { host?: string; port?: number; path?: string } = { host: '127.0.0.1' }, serve: (socket: Socket) => void = () => { /* Silence. */ }): Promise<Listener> => {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket.on('error', () => { /* A client may go. */ }).resume());
    server.emit('accepted');
    serve(socket);
  });
  server.listen({ ...(where.path === undefined ? { port: 0 } : {}), ...where });
  await once(server, 'listening');
  const idle = async (): Promise<void> => { for (const socket of connections) if (!socket.destroyed) await once(socket, 'close'); };
  return {
    port: (server.address() as AddressInfo).port, connections, idle,
    async accepted(count) { while (connections.length < count) await once(server, 'accepted'); },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of connections) socket.destroy();
      await idle();
    },
  };
};

/** A port on which nothing listens. */
export const closedPort = async (): Promise<number> => {
  const { port, [Symbol.asyncDispose]: close } = await listen();
  await close();
  return port;
};
