// Finds out how to connect to an unknown server, shows what it tried, and begins with the door that opened the next time.
import assert from 'node:assert/strict';
import { SmtpClient, SmtpFallbackError, type SmtpOptions } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

const show = (client: SmtpClient): string => client.plans.map(({ port, security }) => `${port} ${security}`).join(', ');

const find = async (client: SmtpClient): Promise<void> => {
  console.log('plan:', show(client));
  await client.verify().forEach((event) => {
    if (event.type === 'attempt-failed') console.log(' ', event.plan.security, 'is the wrong door:', event.error.message);
    if (event.type === 'ready') console.log('  ready,', event.secure ? 'encrypted' : 'in clear text');
  });
};

await using server = await startServer({ tls: 'starttls' });
const options: SmtpOptions = { host: 'localhost', port: server.port, security: 'auto', tls: { ca: server.ca }, timeouts: { greeting: 1_000 } };
await using client = new SmtpClient(options);
await find(client);
await find(client);
assert.equal(server.sessions.length, 3);

// A server for implicit TLS on a port where STARTTLS is tried first: with `stagger` the client does not wait for timeouts.greeting.
await using silent = await startServer({ tls: 'implicit' });
await using racing = new SmtpClient({ ...options, port: silent.port, security: ['starttls', 'implicit'], stagger: 100, timeouts: { greeting: 30_000 } });
await find(racing);

// No TLS available, and clear text not allowed: the error lists what was tried, and names the options to change.
await using plain = await startServer({ tls: 'none' });
await using strict = new SmtpClient({ ...options, port: plain.port, security: 'tls' });
try {
  await find(strict);
} catch (error) {
  if (!(error instanceof SmtpFallbackError)) throw error;
  for (const attempt of error.attempts) console.log(' ', attempt.plan.security, attempt.error.code, attempt.error.phase);
  console.log(' ', error.message);
}
