// Tests your own code against a real server on a local port, which fails in the ways that you script.
import assert from 'node:assert/strict';
import { firstValueFrom } from 'rxjs';
import { receipts, SmtpClient, SmtpError } from 'rxsmtp';
import { startServer, type Fault } from 'rxsmtp/testing';

/** The code under test: it tells its users what to do next. */
const welcome = async (client: SmtpClient, user: string): Promise<string> => {
  try {
    await firstValueFrom(client.send({ from: 'team@example.com', to: user, subject: 'Welcome', text: 'Hi!' }).pipe(receipts()));
    return 'Look into your inbox.';
  } catch (error) {
    if (!(error instanceof SmtpError)) throw error;
    if (error.outcome === 'unknown') return 'Look into your inbox; if nothing is there in an hour, ask again.';
    return error.retryable ? 'Try again in a minute.' : 'Check your address.';
  }
};

const cases: readonly (readonly [answer: string, ...faults: Fault[]])[] = [
  ['Look into your inbox.'],
  ['Check your address.', { at: 'rcpt', do: 'reply', reply: '550 5.1.1 No such user here' }],
  ['Try again in a minute.', { at: 'greeting', do: 'silence' }],
  ['Try again in a minute.', { at: 'mail', do: 'close', reply: '421 4.3.2 Shutting down' }],
  ['Look into your inbox; if nothing is there in an hour, ask again.', { at: 'end-of-data', do: 'reset' }],
];

for (const [answer, ...faults] of cases) {
  await using server = await startServer({ faults });
  await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca }, timeouts: { greeting: 200 } });
  assert.equal(await welcome(client, 'bob@example.org'), answer);
  console.log(`${faults[0] === undefined ? 'all is well' : `${faults[0].at}, ${faults[0].do}`}: ${answer}`);
}
