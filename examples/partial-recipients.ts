// Sends to three recipients, one of whom is refused: the mail goes to the others. If all are refused, that is an error.
import assert from 'node:assert/strict';
import { firstValueFrom } from 'rxjs';
import { receipts, SmtpClient, SmtpReplyError } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({
  onRecipient: (path) => (path.startsWith('nobody@') ? '550 5.1.1 No such user here' : undefined),
});
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });
const mail = { from: 'ann@example.com', subject: 'Lunch', text: 'At noon?' };

const receipt = await firstValueFrom(client.send({ ...mail, to: ['bob@example.org', 'nobody@example.org', 'eve@example.org'] }).pipe(receipts()));
for (const { recipient, reply } of receipt.refused) console.log(`refused: ${recipient}, ${reply.code} ${reply.lines.join(' ')}`);
assert.deepEqual(receipt.accepted, ['bob@example.org', 'eve@example.org']);
assert.deepEqual(receipt.refused.map(({ recipient }) => recipient), ['nobody@example.org']);

const error = await firstValueFrom(client.send({ ...mail, to: 'nobody@example.org' })
  .pipe(receipts())).catch((reason: unknown) => reason);
assert.ok(error instanceof SmtpReplyError);
console.log(`${error.phase}: ${error.outcome}, ${error.retryable ? 'try later' : 'do not try again'}`);
assert.deepEqual([error.phase, error.outcome, error.retryable, error.recipient], ['rcpt', 'refused', false, 'nobody@example.org']);
assert.equal(server.messages.length, 1);
