// Sends through an HTTP proxy that requires user and password, and shows the error when they are wrong.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { lastValueFrom } from 'rxjs';
import { receipts, SmtpClient, type ProxyOptions } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

const CREDENTIALS = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
const proxy = createServer().on('connect', (request, client) => {
  if (request.headers['proxy-authorization'] !== CREDENTIALS) {
    client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="office"\r\n\r\n');
    return;
  }
  const { hostname, port } = new URL(`tcp://${request.url ?? ''}`);
  const server = connect(Number(port), hostname, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(server).pipe(client);
  });
}).listen(0, '127.0.0.1');
await once(proxy, 'listening');

await using server = await startServer();
for (const pass of ['secret', 'guessed']) {
  const through: ProxyOptions = { protocol: 'http', host: '127.0.0.1', port: (proxy.address() as AddressInfo).port, user: 'ann', pass };
  await using client = new SmtpClient({ host: '127.0.0.1', port: server.port, tls: { ca: server.ca }, proxy: through });
  try {
    const receipt = await lastValueFrom(client.send({ from: 'ann@example.com', to: 'bob@example.org', subject: 'Through a proxy', text: 'Hi Bob' }).pipe(receipts()));
    console.log(`accepted: ${receipt.accepted.join(', ')}`);
  } catch (error) {
    console.log(String(error));
  }
}
proxy.close();
