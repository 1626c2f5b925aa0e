import { createTransport } from 'nodemailer';
import { atMost } from './at-most.mjs';
import { nodemailerMail } from './nodemailer-mail.mjs';

/** A connection for each mail. */
export function connect({ port, auth, connections }) {
  const transport = createTransport({
    host: '127.0.0.1', port, secure: false, ignoreTLS: true,
    ...(auth && { auth: { user: 'user', pass: 'password' } }),
  });
  return {
    send: (count, mail) => atMost(connections, count, (n) => transport.sendMail(nodemailerMail(mail(n)))),
    close: () => transport.close(),
  };
}
