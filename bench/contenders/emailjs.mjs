import { Stream } from 'node:stream';
import { Message, SMTPClient } from 'emailjs';
import { atMost } from './at-most.mjs';

/** Sends what it was given instead of what it would compose. */
class RawMessage extends Message {
  #raw;

  constructor({ envelope, raw }) {
    super({ from: envelope.from, to: envelope.to.join(', '), text: '' });
    this.#raw = raw;
  }

  stream() {
    const stream = new Stream();
    queueMicrotask(() => {
      // The client itself ends the last line.
      stream.emit('data', this.#raw.toString('latin1', 0, this.#raw.length - 2));
      stream.emit('end');
    });
    return stream;
  }
}

export function connect({ port, auth, connections, perMail }) {
  const open = () => new SMTPClient({
    host: '127.0.0.1', port, timeout: 30_000,
    ...(auth && { user: 'user', password: 'password', authentication: ['PLAIN'] }),
  });
  const clients = perMail ? [] : Array.from({ length: connections }, open);
  return {
    send: (count, mail) => atMost(connections, count, async (n) => {
      const client = perMail ? open() : clients[n % connections];
      await client.sendAsync(new RawMessage(mail(n)));
      if (perMail) client.smtp.close();
    }),
    close: () => clients.forEach((client) => client.smtp.close()),
  };
}
