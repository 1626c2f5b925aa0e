// Which mechanisms does the server offer, and which one was used? verify() tells, without a mail.
import assert from 'node:assert/strict';
import { lastValueFrom, toArray } from 'rxjs';
import { SmtpAuthenticationError, SmtpClient, type SmtpOptions } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({ users: { ann: 'open sesame' } });
const options: SmtpOptions = { host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' } };

await using client = new SmtpClient({ ...options, allowedAuthentication: ['PLAIN', 'CRAM-MD5'] });
const events = await lastValueFrom(client.verify().pipe(toArray()));
for (const event of events) {
  if (event.type === 'ready') console.log(`offered: ${event.supportedAuthentication.join(', ')}`);
  if (event.type === 'authenticated') console.log(`used:    ${event.mechanism} as ${event.user}`);
}
assert.ok(events.some((event) => event.type === 'authenticated' && event.mechanism === 'CRAM-MD5'));

// Nothing in common is an error that names both sides.
await using strict = new SmtpClient({ ...options, allowedAuthentication: ['SCRAM-SHA-256'] });
const error: unknown = await lastValueFrom(strict.verify()).catch((reason: unknown) => reason);
assert.ok(error instanceof SmtpAuthenticationError);
console.log(`refused: offered ${error.offered.join(', ')}, allowed ${error.allowed.join(', ')}`);
assert.deepEqual(error.allowed, ['SCRAM-SHA-256']);
