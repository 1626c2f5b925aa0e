import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { localhostCertificate, testAuthority } from './certificates.js';
import { checkOptions } from './check-options.js';
import { FaultScript, type Fault } from './fault.js';
import type { ReceivedMessage, ReceivedSession, ServerOptions } from './options.js';
import { ServerSession } from './session.js';

/** A running server. End it with `close()` or `await using`. */
export interface TestServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** The test authority, for the option `tls.ca`. It signed the certificate of the server, unless the options give another one. */
  readonly ca: string;
  /** The mails that it accepted, in order. */
  readonly messages: readonly ReceivedMessage[];
  /** Every connection that was made, in order. */
  readonly sessions: readonly ReceivedSession[];
  /** Connections that are open now. */
  readonly connections: number;
  /** The faults that have not struck so far: if any are left at the end of a test, it has tested something else. */
  readonly unstruck: readonly Fault[];
  /** Ends every open connection in good order, after a line if one is given: `421 4.4.2 idle for too long`. */
  disconnect(farewell?: string): void;
  /** Resolves when no connection is open. Rejects with what a function in the options has thrown, which ends its connection. */
  idle(): Promise<void>;
  /** Cuts the open connections and stops listening. Rejects as `idle()` does. */
  close(): Promise<void>;
}

/**
 * Starts a real SMTP server on this machine, for tests. It keeps what it received byte for byte, and fails in the ways that `faults` says.
 *
 * ```ts
 * await using server = await startServer({ faults: [{ at: 'mail', do: 'reply', reply: '451 4.3.0 Try later' }] });
 * const client = new SmtpClient({ host: server.host, port: server.port, security: 'starttls', tls: { ca: server.ca } });
 * ```
 * @throws SmtpUsageError (as a rejection) naming the option or fault that is unknown or cannot work.
 */
export const startServer = async (options: ServerOptions = {}): Promise<TestServer> => {
  checkOptions(options);
  const { host = '127.0.0.1', port = 0, cert, key } = options;
  const certificate = cert === undefined || key === undefined ? localhostCertificate : { cert, key };
  const faults = new FaultScript(options.faults ?? []);
  const messages: ReceivedMessage[] = [];
  const sessions: ServerSession[] = [];
  const open = new Map<Socket, Promise<void>>();
  const failures: unknown[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const session = new ServerSession(socket, {
      options, certificate, faults, number: sessions.length + 1,
      nextQueueId: () => `T${(messages.length + 1).toString().padStart(6, '0')}`,
      accept: (message) => { messages.push(message); },
    });
    sessions.push(session);
    open.set(socket, session.run()
      .catch((error: unknown) => { failures.push(error); socket.destroy(); })
      .finally(() => { open.delete(socket); }));
  });
  server.listen(port, host);
  await once(server, 'listening');

  const idle = async (): Promise<void> => {
    while (open.size > 0) await Promise.all(open.values());
    if (failures.length > 0) throw failures[0];
  };
  const close = async (): Promise<void> => {
    server.close();
    for (const socket of open.keys()) socket.destroy();
    await idle();
  };
  return {
    host, port: (server.address() as AddressInfo).port, ca: testAuthority, messages, sessions,
    get connections() { return open.size; },
    get unstruck() { return faults.unstruck; },
    disconnect: (farewell) => { for (const session of sessions) session.disconnect(farewell); },
    idle, close, [Symbol.asyncDispose]: close,
  };
};
