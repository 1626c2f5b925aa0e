// The server, a process of its own: told by its argument what to be, and by a message what should have arrived.
import { createServer, Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { Inbox } from './inbox.mjs';
import { Session } from './session.mjs';

/** @type {{ host?: string, port?: number, door?: 'clear' | 'starttls' | 'implicit' | 'silent', offer?: string[], auth?: boolean, key?: string, cert?: string }} */
const { host = '127.0.0.1', port = 0, door = 'clear', offer = [], auth = false, key, cert } = JSON.parse(process.argv[2]);
const secureContext = key === undefined ? undefined : createSecureContext({ key, cert });
const inbox = new Inbox();

const serve = (socket, service, upgrade) => {
  const session = new Session(socket, service, inbox, upgrade);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => session.read(chunk));
  return session;
};

// What all connections in clear text are read into: a fresh Buffer for every read would cost more than all the rest.
const ROOM = 64 * 1024;
const buffer = Buffer.allocUnsafeSlow(ROOM + 512 * 1024).subarray(ROOM);

/** Node has `onread` for a client's sockets only; this one takes over what the server accepted. */
const serveFast = (accepted, service) => {
  const socket = new Socket({ handle: accepted._handle, onread: { buffer, callback: (length) => { session.read(buffer.subarray(0, length), ROOM); return true; } } });
  const session = new Session(socket, service, inbox);
  socket.on('error', () => socket.destroy());
  socket.resume();
  return session;
};

const secure = (socket) => {
  socket.removeAllListeners('data');
  return serve(new TLSSocket(socket, { isServer: true, secureContext }), { offer, auth });
};

const DOORS = {
  clear: (socket) => serveFast(socket, { offer, auth }).greet(),
  starttls: (socket) => serve(socket, { offer: [...offer, 'STARTTLS'], auth: true }, () => secure(socket)).greet(),
  implicit: (socket) => { socket.on('error', () => undefined); secure(socket).greet(); },
  silent: (socket) => socket.on('error', () => undefined),
};

const server = createServer({ noDelay: true, pauseOnConnect: door === 'clear' }, DOORS[door]);
server.on('error', (error) => process.send({ error: error.message }));
server.listen(port, host, () => process.send({ port: server.address().port }));

const before = process.cpuUsage();
process.on('message', (expected) => {
  const { user, system } = process.cpuUsage(before);
  process.send({ cpu: user + system, waits: inbox.waits, faults: inbox.faults(expected) });
});
process.on('disconnect', () => process.exit());
