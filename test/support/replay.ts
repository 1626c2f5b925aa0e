import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { oneByOne } from './cuts.js';

/** How the server's bytes arrive: as they were written, a line at a time, or one by one. */
export type Segmentation = 'whole' | 'per line' | 'per byte';

export interface Transcript {
  readonly title: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly turns: readonly { readonly from: 'S' | 'C'; readonly bytes: Buffer }[];
  readonly hangsUp: boolean;
  /** What the client has to tell of it, a line each. */
  readonly outcome: readonly string[];
}

/**
 * A dialogue as a mail person writes it: `# title`, `key: value` lines, then `S: ` and `C: ` lines in order, `-- close`
 * where the server hangs up, and `= ` lines with what the client tells. `\r`, `\n`, `\0` and `\xNN` stand for themselves;
 * CRLF ends every line but one that ends in `\`.
 */
export const parseTranscript = (text: string): Transcript => {
  const settings: Record<string, string> = {};
  const turns: { from: 'S' | 'C'; bytes: Buffer }[] = [];
  const outcome: string[] = [];
  let title = '';
  let hangsUp = false;
  for (const line of text.split('\n')) {
    const [, mark = '', rest = ''] = /^(#|S:|C:|=|--|[a-z][\w.]*:) ?(.*)$/.exec(line) ?? [];
    if (mark === '#') title ||= rest;
    else if (mark === '=') outcome.push(rest);
    else if (mark === '--') hangsUp = true;
    else if (mark === 'S:' || mark === 'C:') {
      const from = mark === 'S:' ? 'S' : 'C';
      const bytes = Buffer.from(unescape(rest.endsWith('\\') ? rest.slice(0, -1) : `${rest}\\r\\n`), 'latin1');
      const last = turns.at(-1);
      if (last?.from === from) last.bytes = Buffer.concat([last.bytes, bytes]);
      else turns.push({ from, bytes });
    } else if (mark !== '') settings[mark.slice(0, -1)] = rest;
  }
  return { title, settings, turns, hangsUp, outcome };
};

const unescape = (text: string): string =>
  text.replace(/\\(r|n|0|x[0-9a-f]{2})/gi, (_, escape: string) => (escape === 'r' ? '\r' : escape === 'n' ? '\n' : escape === '0' ? '\0' : String.fromCharCode(parseInt(escape.slice(1), 16))));

export interface Replay extends AsyncDisposable {
  readonly port: number;
  /** Resolves when the connection is over, with where the client left the script; empty if it kept to it. */
  readonly done: Promise<string>;
}

/** A server that says its part of a transcript and holds the client to the other part, byte for byte. */
export const replay = async ({ turns, hangsUp }: Transcript, segmentation: Segmentation): Promise<Replay> => {
  const server = createServer({ noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  const done = once(server, 'connection').then(async (connection) => {
    const socket = connection[0] as Socket;
    sockets.add(socket);
    return play(socket, turns, hangsUp, segmentation);
  });
  return {
    port: (server.address() as AddressInfo).port,
    done,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

const play = async (socket: Socket, turns: Transcript['turns'], hangsUp: boolean, segmentation: Segmentation): Promise<string> => {
  let received = Buffer.alloc(0);
  let wake: () => void = () => undefined;
  let ended = false;
  socket.on('data', (chunk: Buffer) => { received = Buffer.concat([received, chunk]); wake(); });
  for (const event of ['end', 'close', 'error']) socket.on(event, () => { ended = true; wake(); });
  const arrived = async (length: number): Promise<void> => {
    while (received.length < length && !ended) await new Promise<void>((resolve) => { wake = resolve; });
  };
  for (const { from, bytes } of turns) {
    if (from === 'C') {
      await arrived(bytes.length);
      const got = received.subarray(0, bytes.length);
      // Nobody waits for what the script would say next.
      if (!got.equals(bytes)) socket.destroy();
      if (!got.equals(bytes)) return `expected ${JSON.stringify(bytes.toString('latin1'))}, got ${JSON.stringify(received.toString('latin1'))}`;
      received = received.subarray(bytes.length);
    } else {
      for (const part of partsOf(bytes, segmentation)) {
        if (socket.writable) socket.write(part);
        if (segmentation !== 'whole') await turn();
      }
    }
  }
  if (hangsUp) socket.end();
  await arrived(Infinity);
  socket.destroy();
  return received.length === 0 ? '' : `got more: ${JSON.stringify(received.toString('latin1'))}`;
};

const partsOf = (bytes: Buffer, segmentation: Segmentation): readonly Buffer[] => {
  if (segmentation === 'whole') return [bytes];
  if (segmentation === 'per byte') return oneByOne(bytes);
  return bytes.toString('latin1').split(/(?<=\n)/).map((line) => Buffer.from(line, 'latin1'));
};
