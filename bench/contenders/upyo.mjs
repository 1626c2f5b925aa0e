import { SmtpTransport } from '@upyo/smtp';
import { atMost } from './at-most.mjs';

export function connect({ port, auth, connections, perMail }) {
  const transport = new SmtpTransport({
    host: '127.0.0.1', port, secure: false, pool: !perMail, poolSize: connections,
    ...(auth && { auth: { user: 'user', pass: 'password' } }),
  });
  return {
    // As its `send` does, without composing: what it is given must arrive unchanged.
    send: (count, mail) => atMost(connections, count, async (n) => {
      const { envelope, raw } = mail(n);
      const connection = await transport.getConnection();
      await connection.sendMessage({ envelope, raw: raw.toString('latin1', 0, raw.length - 2) });
      await transport.returnConnection(connection);
    }),
    close: () => transport.closeAllConnections(),
  };
}
