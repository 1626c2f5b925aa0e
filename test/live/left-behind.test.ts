import { Duplex } from 'node:stream';
import { getHeapSpaceStatistics } from 'node:v8';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpClient } from '../../src/index.js';
import { MAIL } from '../support/clear-client.js';

const CONNECTIONS = 600;
// Bytes for each. What is compiled goes there too, some 500; a connection that is kept has 4,000 and more.
const MOST = 2_000;

/** A server in the same process, that says yes. */
const server = (): Duplex => {
  const socket: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      const said = chunk.toString('latin1');
      socket.push(said.startsWith('DATA') ? '354 go on\r\n' : said.startsWith('QUIT') ? '221 bye\r\n' : '250 yes\r\n');
      done();
    },
  });
  socket.push('220 hello\r\n');
  return socket;
};

const oldSpace = (): number => getHeapSpaceStatistics().filter(({ space_name: name }) => name === 'old_space').reduce((sum, { space_used_size: used }) => sum + used, 0);

describe('what a connection leaves behind', () => {
  it('is nothing that only a full collection would free', async () => {
    const client = new SmtpClient({ host: 'mail.example.com', port: 25, security: ['none'], pool: false, socket: server });
    const send = async (): Promise<void> => {
      for (let sent = 0; sent < CONNECTIONS; sent += 1) await lastValueFrom(client.send(MAIL));
    };
    await send();
    await send();
    const before = oldSpace();
    await send();
    expect((oldSpace() - before) / CONNECTIONS).toBeLessThan(MOST);
    await client.close();
  });
});
