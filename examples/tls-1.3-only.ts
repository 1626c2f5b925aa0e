// Nothing below TLS 1.3: a server that supports it gets the mail; one that does not is refused before it sees any of it.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { SmtpClient, SmtpConnectionError, type SmtpOptions } from 'rxsmtp';
import { localhostCertificate, startServer } from 'rxsmtp/testing';

await using server = await startServer({ tls: 'implicit' });

const options: SmtpOptions = {
  host: 'localhost',
  port: server.port,
  security: 'implicit',
  tls: { ca: server.ca, versions: ['TLSv1.3'], strictVersions: true },
};

await using client = new SmtpClient(options);
await client.send({ from: 'ann@example.com', to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' }).forEach((event) => {
  if (event.type === 'secured') console.log(event.type, event.protocol, event.cipher);
  if (event.type === 'accepted') console.log(event.type, event.receipt.queueId);
});

const old = createServer({ ...localhostCertificate, maxVersion: 'TLSv1.2' }).listen(0, '127.0.0.1');
await once(old, 'listening');
await using oldClient = new SmtpClient({ ...options, port: (old.address() as AddressInfo).port });
try {
  await oldClient.verify().forEach((event) => { console.log(event.type); });
} catch (error) {
  if (!(error instanceof SmtpConnectionError)) throw error;
  console.log(error.code, error.reason, error.message);
}
old.close();
