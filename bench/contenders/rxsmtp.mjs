import { lastValueFrom } from 'rxjs';
import { SmtpClient } from 'rxsmtp';
import { atMost } from './at-most.mjs';

// Enough mails that a connection never waits for the next one.
const AHEAD = 64;

export function connect({ port, auth, connections, depth, perMail, oneByOne }) {
  const client = new SmtpClient({
    host: '127.0.0.1', port, security: ['none'],
    ...(auth && { auth: { user: 'user', pass: 'password' } }),
    ...(depth && { pipelining: { depth } }),
    pool: perMail ? false : { maxConnections: connections, maxMessages: Infinity },
  });
  return {
    send(count, mail) {
      const one = (n) => lastValueFrom(client.send(mail(n)));
      if (perMail || oneByOne) return atMost(1, count, one);
      if (client.sendAll === undefined) return atMost(connections * Math.max(AHEAD, 2 * (depth ?? 1)), count, one);
      const source = function* () {
        for (let n = 0; n < count; n += 1) yield mail(n);
      };
      return client.sendAll(source()).forEach((event) => {
        if (event.type === 'failed') throw event.error;
      });
    },
    close: () => client.close(),
  };
}
