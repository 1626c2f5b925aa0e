// Sends one mail to 250 people through a server that takes 100 at a time: three transactions, one stream, one receipt.
import assert from 'node:assert/strict';
import { firstValueFrom } from 'rxjs';
import { receipts, SmtpClient } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({
  limits: { recipients: 100 },
  onRecipient: (path) => (path === 'reader7@example.org' ? '550 5.1.1 No such user here' : undefined),
});
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });

const to = Array.from({ length: 250 }, (_, index) => `reader${index + 1}@example.org`);
const newsletter = { from: 'news@example.com', to: 'Our readers <news@example.com>', subject: 'News', text: 'All well.', envelope: { from: 'news@example.com', to } };
const receipt = await firstValueFrom(client.send(newsletter).pipe(receipts()));

console.log(`${receipt.accepted.length} have it, ${receipt.refused.length} was refused`);
for (const { queueId, accepted } of receipt.parts ?? []) console.log(`${queueId}: ${accepted.length} recipients`);
assert.deepEqual(receipt.accepted, to.filter((address) => address !== 'reader7@example.org'));
assert.deepEqual(receipt.refused.map(({ recipient }) => recipient), ['reader7@example.org']);
assert.deepEqual(server.messages.map((message) => message.to.length), [99, 100, 50]);
