import { createTransport } from 'nodemailer';
import { atMost } from './at-most.mjs';
import { nodemailerMail } from './nodemailer-mail.mjs';

// Enough that a connection never waits for the next mail.
const AHEAD = 16;

export function connect({ port, auth, connections, oneByOne }) {
  const transport = createTransport({
    host: '127.0.0.1', port, secure: false, ignoreTLS: true,
    ...(auth && { auth: { user: 'user', pass: 'password' } }),
    pool: true, maxConnections: connections, maxMessages: Infinity,
  });
  return {
    send: (count, mail) => atMost(oneByOne ? 1 : connections * AHEAD, count, (n) => transport.sendMail(nodemailerMail(mail(n)))),
    close: () => transport.close(),
  };
}
