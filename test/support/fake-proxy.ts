import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Certificate } from '../../src/testing/index.js';

/** What a client asked its proxy for. */
export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly credentials: string | undefined;
  /** The end on the client's side. */
  readonly from: string;
}

export interface FakeProxy extends AsyncDisposable {
  readonly port: number;
  /** `socks5://127.0.0.1:1080`, without credentials. */
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Connections of clients that are open now. */
  readonly connections: number;
  idle(): Promise<void>;
}

export interface FakeProxyOptions {
  readonly protocol: 'socks4' | 'socks4a' | 'socks5' | 'http' | 'https';
  /** `user:pass`. Default: nothing is asked for. */
  readonly credentials?: string;
  /** Any client is taken, unless it says otherwise. */
  readonly certificate?: Certificate & Pick<TlsOptions, 'rejectUnauthorized' | 'minVersion' | 'maxVersion'>;
  /** Instead of opening the way: what to send and do. */
  readonly answer?: (client: Socket, asked: Asked) => void;
  /** Instead of speaking at all. */
  readonly instead?: (client: Socket) => void;
  /** Where names lead. */
  readonly hosts?: Readonly<Record<string, string>>;
}

/** A proxy on loopback that does what it is asked, and keeps what that was. */
export const startProxy = async (options: FakeProxyOptions): Promise<FakeProxy> => {
  const { protocol, certificate, instead, answer = open(options) } = options;
  const asked: Asked[] = [];
  const clients = new Set<Socket>();
  const serve = (client: Socket): void => {
    clients.add(client);
    client.once('close', () => { clients.delete(client); client.emit('gone'); }).on('error', () => { /* A client may go. */ });
    if (instead !== undefined) { instead(client.resume()); return; }
    void HANDSHAKES[protocol](client, new Input(client), options.credentials).then((request) => {
      if (request === undefined) return;
      const question = { ...request, from: `${client.remoteAddress ?? ''}:${String(client.remotePort ?? 0)}` };
      asked.push(question);
      client.removeAllListeners('data');
      answer(client, question);
      client.resume();
    });
  };
  const server = protocol === 'https' ? createTlsServer({ requestCert: true, rejectUnauthorized: false, ...certificate }, serve) : createServer({ noDelay: true }, serve);
  server.on('tlsClientError', () => { /* The client did not like the certificate. */ });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const idle = async (): Promise<void> => {
    while (clients.size > 0) await new Promise((resolve) => { for (const client of clients) client.once('gone', resolve); });
  };
  return {
    port, url: `${protocol}://127.0.0.1:${String(port)}`, asked,
    get connections() { return clients.size; },
    idle,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const client of clients) client.destroy();
      await idle();
    },
  };
};

export const GRANTED: Readonly<Record<FakeProxyOptions['protocol'], Buffer>> = {
  socks4: Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]),
  socks4a: Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]),
  socks5: Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  http: Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n'),
  https: Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n'),
};

/** Opens the way; the server's first words go out in one piece with the answer, if they come soon. */
const open = ({ protocol, hosts = {} }: FakeProxyOptions) => (client: Socket, { host, port }: Asked): void => {
  const server = connect({ host: hosts[host] ?? host, port, noDelay: true });
  let answer: Buffer | undefined = GRANTED[protocol];
  const grant = (more: Buffer): void => {
    if (answer === undefined) return;
    client.write(Buffer.concat([answer, more]));
    answer = undefined;
    client.pipe(server);
    server.pipe(client);
  };
  server.once('connect', () => setTimeout(() => { if (answer !== undefined) { server.off('data', grant); grant(Buffer.alloc(0)); } }, 20));
  server.once('data', grant).on('error', () => { client.destroy(); });
  client.on('close', () => { server.destroy(); });
  server.on('close', () => { client.end().resume(); });
};

/** What a client says, by the byte. */
class Input {
  #bytes = Buffer.alloc(0);
  #wake = (): void => { /* Nobody waits. */ };

  constructor(client: Socket) {
    client.on('data', (chunk: Buffer) => { this.#bytes = Buffer.concat([this.#bytes, chunk]); this.#wake(); });
  }

  async take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) await new Promise<void>((resolve) => { this.#wake = resolve; });
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  async takeUntil(end: string): Promise<string> {
    let text = '';
    while (!text.endsWith(end)) text += (await this.take(1)).toString('latin1');
    return text.slice(0, -end.length);
  }
}

type Handshake = (client: Socket, input: Input, credentials: string | undefined) => Promise<Omit<Asked, 'from'> | undefined>;

const socks4: Handshake = async (client, input, credentials) => {
  const head = await input.take(8);
  const user = await input.takeUntil('\0');
  const named = head.readUInt32BE(4) < 256;
  const host = named ? await input.takeUntil('\0') : [...head.subarray(4, 8)].join('.');
  if (credentials !== undefined && credentials !== user) { client.end(Buffer.from([0, 93, 0, 0, 0, 0, 0, 0])); return undefined; }
  return { host, port: head.readUInt16BE(2), credentials: user };
};

const socks5: Handshake = async (client, input, credentials) => {
  const methods = [...await input.take((await input.take(2))[1]!)];
  const method = credentials === undefined ? 0 : 2;
  if (!methods.includes(method)) { client.end(Buffer.from([5, 255])); return undefined; }
  client.write(Buffer.from([5, method]));
  const given = method === 2 ? await signIn(input) : undefined;
  if (method === 2 && given !== credentials) { client.end(Buffer.from([1, 1])); return undefined; }
  if (method === 2) client.write(Buffer.from([1, 0]));
  const type = (await input.take(4))[3];
  const host = type === 1 ? [...await input.take(4)].join('.')
    : type === 3 ? (await input.take((await input.take(1))[0]!)).toString('latin1')
      : (await input.take(16)).toString('hex').replace(/(.{4})(?=.)/g, '$1:');
  return { host, port: (await input.take(2)).readUInt16BE(), credentials: given };
};

const signIn = async (input: Input): Promise<string> => {
  const user = await input.take((await input.take(2))[1]!);
  const pass = await input.take((await input.take(1))[0]!);
  return `${user.toString()}:${pass.toString()}`;
};

const http: Handshake = async (client, input, credentials) => {
  const head = await input.takeUntil('\r\n\r\n');
  const [, host = '', port = ''] = /^CONNECT (.*):(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
  const basic = /^proxy-authorization: Basic (.*)$/im.exec(head)?.[1];
  const given = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString();
  if (credentials !== undefined && given !== credentials) { client.end('HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'); return undefined; }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port), credentials: given };
};

const HANDSHAKES: Readonly<Record<FakeProxyOptions['protocol'], Handshake>> = { socks4, socks4a: socks4, socks5, http, https: http };
