// Sends one mail and awaits its receipt: the recipients that the server accepted, and its queue id.
import assert from 'node:assert/strict';
import { firstValueFrom } from 'rxjs';
import { receipts, SmtpClient } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({ tls: 'implicit', users: { ann: 'open sesame' } });
await using client = new SmtpClient({
  host: 'localhost', port: server.port, tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' },
});

const message = { from: 'Ann <ann@example.com>', to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' };
const receipt = await firstValueFrom(client.send(message).pipe(receipts()));

console.log(`${receipt.reply.code}: accepted for ${receipt.accepted.join(', ')} as ${receipt.queueId}`);

assert.deepEqual(receipt.accepted, ['bob@example.org']);
assert.equal(server.messages[0]?.queueId, receipt.queueId);
assert.match(server.messages[0]?.content.toString() ?? '', /^Subject: Hello\r$/m);
