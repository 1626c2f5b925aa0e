// Watches a mail from the first attempt to the server's verdict. Each event narrows by its `type`.
import assert from 'node:assert/strict';
import { tap, toArray, lastValueFrom } from 'rxjs';
import { SmtpClient, type SmtpEvent } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({ users: { ann: 'open sesame' } });
await using client = new SmtpClient({
  host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' },
});

const describe = (event: SmtpEvent): string => {
  switch (event.type) {
    case 'connected': return `to ${event.remote.address}`;
    case 'secured': return `${event.mode}, ${event.protocol}`;
    case 'authenticated': return `${event.mechanism} as ${event.user}`;
    case 'recipient-accepted': return event.recipient;
    case 'progress': return `${event.bytesSent} bytes`;
    case 'accepted': return event.receipt.queueId ?? '';
    default: return '';
  }
};

const message = { from: 'ann@example.com', to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' };
const events = await lastValueFrom(client.send(message).pipe(
  tap((event) => { console.log(event.type.padEnd(20), describe(event)); }),
  toArray(),
));

assert.deepEqual(events.map(({ type }) => type).filter((type) => type !== 'progress'), [
  'attempt-started', 'connected', 'greeted', 'introduced', 'secured', 'introduced', 'authenticated', 'ready',
  'sender-accepted', 'recipient-accepted', 'accepted',
]);
