import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { lastValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { checkTls } from '../../src/config/tls.js';
import { localhostCertificate } from '../../src/testing/index.js';
import { SocketStream } from '../../src/transport/byte-stream.js';
import { secure } from '../../src/transport/secure.js';
import { tlsServer } from '../support/tls-server.js';

it('a context that cannot be made fails the handshake, and closes what would have carried it', async () => {
  const carrier = new Duplex({ read: () => undefined });
  const reason = new Error('no cipher');
  const settings = {
    versions: ['TLSv1.3'], skippedVersions: [], servername: undefined, rejectUnauthorized: true, fingerprints: undefined, showsCertificate: false,
    context: () => { throw reason; },
  } as const;
  await expect(lastValueFrom(secure(new SocketStream(carrier), { host: 'mail.example.com', port: 465 }, settings, 'tls'))).rejects.toBe(reason);
  expect(carrier.destroyed).toBe(true);
});

it('a server behind a Unix socket is named by its path alone', async () => {
  const carrier = new Duplex({ read: () => undefined, write: () => { carrier.destroy(); } });
  const stream = new SocketStream(carrier, { remote: { address: '/run/smtp.sock', port: 0 } });
  await expect(lastValueFrom(secure(stream, { host: 'mail.example.com', port: 465 }, checkTls(), 'tls'))).rejects.toThrow('mail.example.com (/run/smtp.sock) hung up');
});

it('a socket that is handed over has no listener left but those of the stream, for its end and for errors that nobody waits for', async () => {
  await using server = await tlsServer('implicit', localhostCertificate);
  const dialled = async (): Promise<Socket> => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const bare = connectTls({ socket: await dialled(), rejectUnauthorized: false });
  await once(bare, 'secureConnect');
  // Versions with a gap between them, so that keys are listened to.
  const settings = { ...checkTls({ rejectUnauthorized: false }), versions: ['TLSv1.1', 'TLSv1.3'] } as const;
  const { socket } = await lastValueFrom(secure(new SocketStream(await dialled()), { host: 'localhost', port: server.port }, settings, 'tls'));
  for (const event of ['keylog', 'secure', 'secureConnect']) expect([event, socket.listenerCount(event)]).toEqual([event, bare.listenerCount(event)]);
  for (const event of ['close', 'error']) expect([event, socket.listenerCount(event)]).toEqual([event, bare.listenerCount(event) + 1]);
  bare.destroy();
  socket.destroy();
});
