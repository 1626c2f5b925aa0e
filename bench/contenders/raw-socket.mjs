import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { atMost } from './at-most.mjs';

const LF = 10, SPACE = 32;

/** A bare socket that counts replies and believes them all: what is possible in Node, not a client to use. */
export class RawSocket {
  #socket;
  #answered = 0;
  #awaited = Infinity;
  #resolve;
  #column = 0;
  #heard = '';

  static async open(port, auth) {
    const raw = new RawSocket();
    raw.#socket = dial({ host: '127.0.0.1', port, noDelay: true });
    raw.#socket.on('data', (chunk) => raw.#read(chunk));
    await raw.until(1);
    raw.write('EHLO bench\r\n');
    await raw.until(2);
    raw.offer = raw.#heard;
    if (auth) {
      raw.write(`AUTH PLAIN ${Buffer.from('\0user\0password').toString('base64')}\r\n`);
      await raw.until(3);
    }
    raw.restart();
    return raw;
  }

  /** All that was asked was answered: counts anew. */
  restart() {
    this.#answered = 0;
  }

  /** Resolves when so many replies have come since the last start. */
  until(count) {
    if (this.#answered >= count) return undefined;
    this.#awaited = count;
    return new Promise((resolve) => { this.#resolve = resolve; });
  }

  write(bytes) {
    return this.#socket.write(bytes, 'latin1');
  }

  /** Writes all of it at once, and waits while the socket is full. */
  async writeSlowly(parts) {
    this.#socket.cork();
    const room = parts.map((part) => this.#socket.write(part)).at(-1);
    this.#socket.uncork();
    if (!room) await once(this.#socket, 'drain');
  }

  close() {
    this.#socket.end('QUIT\r\n');
  }

  #read(chunk) {
    if (this.offer === undefined) this.#heard += chunk.latin1Slice();
    // A space in the fourth column ends a reply (RFC 5321 section 4.2.1).
    for (const byte of chunk) {
      if (byte === LF) this.#column = 0;
      else if (++this.#column === 4 && byte === SPACE) this.#answered += 1;
    }
    if (this.#answered < this.#awaited) return;
    this.#awaited = Infinity;
    this.#resolve();
  }
}

/** A contender: `sendAll(socket, from, to, mail)` sends the mails of one connection. */
export const rawContender = (sendAll) => async ({ port, auth, connections, perMail }) => {
  const open = () => RawSocket.open(port, auth);
  const sockets = perMail ? [] : await Promise.all(Array.from({ length: connections }, open));
  return {
    async send(count, mail) {
      if (!perMail) {
        const share = Math.ceil(count / connections);
        for (const socket of sockets) socket.restart();
        await Promise.all(sockets.map((socket, index) => sendAll(socket, index * share, Math.min(count, (index + 1) * share), mail)));
        return;
      }
      await atMost(1, count, async (n) => {
        const socket = await open();
        await sendAll(socket, n, n + 1, mail);
        socket.close();
      });
    },
    close: () => sockets.forEach((socket) => socket.close()),
  };
};

export const envelopeLines = ({ from, to }, parameters = '') =>
  `MAIL FROM:<${from}>${parameters}\r\n${to.map((address) => `RCPT TO:<${address}>\r\n`).join('')}`;
