// Sends through a SOCKS 5 proxy: the proxy is given the server's name, and TLS still verifies the server.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { lastValueFrom, tap } from 'rxjs';
import { receipts, SmtpClient } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

// A small SOCKS 5 proxy (RFC 1928) that takes no credentials, so that this example runs anywhere.
const proxy = createServer((client) => {
  client.once('data', () => {
    client.write(Buffer.from([5, 0]));
    client.once('data', (request) => {
      const server = connect(request.readUInt16BE(request.length - 2), '127.0.0.1', () => {
        client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        client.pipe(server).pipe(client);
      });
    });
  });
}).listen(0, '127.0.0.1');
await once(proxy, 'listening');

await using server = await startServer();
await using client = new SmtpClient({
  host: 'localhost', port: server.port, tls: { ca: server.ca },
  proxy: `socks5://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`,
});

const receipt = await lastValueFrom(client.send({ from: 'ann@example.com', to: 'bob@example.org', subject: 'Through a proxy', text: 'Hi Bob' }).pipe(
  tap((event) => { if (event.type === 'connected') console.log(`connected via ${event.via ?? 'nothing'}`); }),
  receipts(),
));
console.log(`accepted: ${receipt.accepted.join(', ')}`);
await client.close();
proxy.close();
