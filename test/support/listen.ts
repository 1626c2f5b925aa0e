import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Where a server of a test's own listens, until it is disposed of. */
export interface ListeningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** A server on loopback that does with each connection what a test wants. */
export const listen = async (connected: (socket: Socket) => void): Promise<ListeningServer> => {
  const server = createServer((socket) => {
    // The client may leave as it likes.
    socket.on('error', () => undefined);
    connected(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
};
