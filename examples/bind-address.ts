// Chooses the local address: a fixed one, and one by a function of the server's address.
import { lastValueFrom, tap } from 'rxjs';
import { receipts, SmtpClient, type SmtpOptions } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer();

const ends: readonly NonNullable<SmtpOptions['localEndpoint']>[] = [
  '127.0.0.1',
  // Called for each address that is tried; port 0 is any free port.
  ({ address, port, family }) => {
    console.log(`where from, to ${address}:${String(port)}?`);
    return { address: family === 6 ? '::1' : '127.0.0.1', port: 0 };
  },
];
for (const localEndpoint of ends) {
  await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, tls: { ca: server.ca }, localEndpoint });
  await lastValueFrom(client.send({ from: 'ann@example.com', to: 'bob@example.org', subject: 'From here', text: 'Hi Bob' }).pipe(
    tap((event) => { if (event.type === 'connected') console.log(`from ${event.local.address}`); }),
    receipts(),
  ));
}
