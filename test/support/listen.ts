import { once } from 'node:events';
import { createServer, type AddressInfo, type ListenOptions, type Socket } from 'node:net';

/** Where a server of a test's own listens, until it is disposed of: by then, every client has to leave. */
export interface Listener extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** All that were ever made. */
  readonly connections: readonly Socket[];
  /** Resolves when so many were made. */
  accepted(count: number): Promise<void>;
  /** Resolves when none is open. */
  idle(): Promise<void>;
}

/** A server that does with each connection what a test wants, and says nothing by itself. */
export const listen = async (serve: (socket: Socket) => void = () => undefined, where: ListenOptions = { host: '127.0.0.1', port: 0 }): Promise<Listener> => {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    // The client may leave as it likes.
    connections.push(socket.on('error', () => undefined).resume());
    server.emit('accepted');
    serve(socket);
  });
  server.listen(where);
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    connections,
    async accepted(count) { while (connections.length < count) await once(server, 'accepted'); },
    async idle() { for (const socket of connections) if (!socket.destroyed) await once(socket, 'close'); },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
};

/** A port on which nothing listens. */
export const closedPort = async (): Promise<number> => {
  await using server = await listen();
  return server.port;
};
