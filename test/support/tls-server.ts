import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';

/** A file of test/fixtures/tls. */
export const fixture = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url)));

/** A certificate of that folder and its key. */
export const certificateOf = (name: string): { readonly cert: Buffer; readonly key: Buffer } => ({ cert: fixture(`${name}.pem`), key: fixture(`${name}.key`) });

/** What the server saw of a handshake that was completed. */
export interface Secured {
  readonly protocol: string | null;
  readonly servername: string | null;
  readonly resumed: boolean;
  /** Of the client's certificate. */
  readonly client: string | string[] | undefined;
}

export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  readonly secured: readonly Secured[];
  /** The lines that came over TLS. */
  readonly said: readonly string[];
}

/** How the server answers a ClientHello: with TLS as set up, or by hand. */
export type Answer = (SecureContextOptions & { readonly requestCert?: boolean }) | ((socket: Socket) => void);

export type Door = 'implicit' | 'starttls';

/** An SMTP server that can do no more than TLS, EHLO and QUIT, but TLS in every way. */
export const tlsServer = async (door: Door, answer: Answer | (() => Answer)): Promise<TlsServer> => {
  const secured: Secured[] = [];
  const said: string[] = [];
  const sockets = new Set<Socket>();

  const converse = (socket: Socket, on: (line: string) => string | undefined): void => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const lines = text.split('\r\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const reply = on(line);
        if (reply !== undefined) socket.write(reply);
        if (line === 'QUIT') socket.end();
      }
    });
  };

  const secure = (socket: Socket): void => {
    const given = typeof answer === 'function' && answer.length === 0 ? (answer as () => Answer)() : answer;
    if (typeof given === 'function') { given(socket); return; }
    const { requestCert = false, ...options } = given;
    const secureContext = createSecureContext(options);
    let servername: string | null = null;
    const tls = new TLSSocket(socket, {
      isServer: true, secureContext, requestCert, rejectUnauthorized: requestCert,
      SNICallback: (name, done) => { servername = name; done(null, secureContext); },
    });
    tls.on('error', () => { /* The client tells of it. */ });
    tls.once('secure', () => {
      const { subject } = tls.getPeerCertificate() as Partial<PeerCertificate>;
      secured.push({ protocol: tls.getProtocol(), servername, resumed: tls.isSessionReused(), client: subject?.CN });
      if (door === 'implicit') tls.write('220 ready\r\n');
    });
    converse(tls, (line) => {
      said.push(line);
      return line.startsWith('EHLO') ? '250 localhost\r\n' : '221 bye\r\n';
    });
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => { /* The client tells of it. */ });
    if (door === 'implicit') { secure(socket); return; }
    socket.write('220 ready\r\n');
    converse(socket, (line) => {
      if (line !== 'STARTTLS') return '250-localhost\r\n250 STARTTLS\r\n';
      socket.removeAllListeners('data');
      socket.write('220 go ahead\r\n');
      secure(socket);
      return undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, secured, said,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
