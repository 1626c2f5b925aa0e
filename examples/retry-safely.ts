// Retries only where that is safe: greylisting is retried, a mail that may have been accepted is not.
import assert from 'node:assert/strict';
import { firstValueFrom } from 'rxjs';
import { receipts, retryWhenSafe, SmtpClient, SmtpError } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({
  faults: [
    { at: 'rcpt', do: 'reply', reply: '450 4.7.1 Greylisted, come again' },
    { at: 'end-of-data', do: 'reply', reply: '452 4.3.1 Disk full' },
    // The third try is accepted. A later mail arrives, but the connection dies before the server confirms it.
    { at: 'end-of-data', do: 'reset', session: 2 },
  ],
});
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });
const mail = { from: 'ann@example.com', to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' };

const send = () => firstValueFrom(client.send(mail).pipe(retryWhenSafe({ count: 5, delay: (attempt) => attempt * 10 }), receipts()));

const receipt = await send();
console.log(`accepted at the third try: ${receipt.reply.lines.join(' ')}`);
assert.equal(server.messages.length, 1);

await client.close();
await using other = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });
const error = await firstValueFrom(other.send(mail).pipe(retryWhenSafe({ count: 5, delay: 10 }), receipts())).catch((reason: unknown) => reason);
assert.ok(error instanceof SmtpError);
console.log(`not tried again: ${error.outcome}, ${error.phase}`);
assert.deepEqual([error.outcome, error.retryable, server.sessions.length], ['unknown', false, 2]);
