import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { getHeapSpaceStatistics } from 'node:v8';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpClient, type SmtpOptions } from '../../src/index.js';
import { MAIL } from '../support/clear-client.js';

const CONNECTIONS = 600;
// What is compiled goes to the old space too.
const WARM_UP = 2_000;
// Bytes for each connection. A stream of Node 24's leaves 800; a connection that is kept has 3,000 and more.
const MOST = 2_000;
const SERVERS_SOCKET = 500;

const answerTo = (said: string): string => (said.startsWith('DATA') ? '354 go on\r\n' : said.startsWith('QUIT') ? '221 bye\r\n' : '250 yes\r\n');

/** A server in the same process, that says yes. */
const ownStream = (): Duplex => {
  const socket: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      socket.push(answerTo(chunk.toString('latin1')));
      done();
    },
  });
  socket.push('220 hello\r\n');
  return socket;
};

const oldSpace = (): number => getHeapSpaceStatistics().filter(({ space_name: name }) => name === 'old_space').reduce((sum, { space_used_size: used }) => sum + used, 0);

const measure = async (options: SmtpOptions): Promise<number> => {
  await using client = new SmtpClient({ security: ['none'], pool: false, ...options });
  let left = 0;
  for (let sent = 0, before = 0; sent < WARM_UP + CONNECTIONS; sent += 1) {
    if (sent === WARM_UP) before = oldSpace();
    await lastValueFrom(client.send(MAIL));
    if (sent < WARM_UP || sent % 50 !== 49) continue;
    // Where a full collection came in between, what grew before and after it counts.
    const now = oldSpace();
    left += Math.max(0, now - before);
    before = now;
  }
  return left / CONNECTIONS;
};

// They send thousands of mails.
describe('what a connection leaves behind is nothing that only a full collection would free:', { timeout: 60_000 }, () => {
  it("over a stream of one's own", async () => {
    expect(await measure({ host: 'mail.example.com', port: 25, socket: ownStream })).toBeLessThan(MOST);
  });

  it('over TCP', async () => {
    await using server = createServer((socket) => {
      socket.write('220 hello\r\n');
      socket.on('data', (said) => { socket.write(answerTo(said.toString('latin1'))); });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await measure({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })).toBeLessThan(MOST + SERVERS_SOCKET);
  });
});
