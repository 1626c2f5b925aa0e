// Draws a progress bar for a large file. Progress counts the bytes that the socket has taken, so it never runs ahead.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { lastValueFrom, tap } from 'rxjs';
import { SmtpClient } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer();
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });

const line = 'All work and no play makes a dull mail.\r\n';
const size = line.length * 200_000;
const file = (): Readable => Readable.from(Array.from({ length: 200 }, () => line.repeat(1_000)));

const positions: number[] = [];
await lastValueFrom(client.send({ envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: file, size }).pipe(
  tap((event) => {
    if (event.type !== 'progress') return;
    const { bytesSent, bytesTotal = Infinity } = event; // it may be unknown
    const done = Math.round((bytesSent / bytesTotal) * 40);
    process.stdout.write(`\r${'█'.repeat(done)}${'░'.repeat(40 - done)} ${(bytesSent / 1e6).toFixed(1)} MB`);
    positions.push(bytesSent);
  }),
));
console.log();

assert.equal(positions.at(-1), size);
assert.deepEqual(positions, positions.toSorted((a, b) => a - b));
assert.equal(server.messages[0]?.content.length, size);
