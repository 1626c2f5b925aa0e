// Sends one large body with one contender and tells what it cost.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { lastValueFrom } from 'rxjs';

const [, , contender, port, megabytes] = process.argv;
const line = `${'x'.repeat(76)}\r\n`;
const block = Buffer.from(line.repeat(Math.floor(65_536 / line.length)));
const blocks = Math.ceil((Number(megabytes) * 2 ** 20) / block.length);
const hash = createHash('sha256');

async function* body() {
  for (let count = 0; count < blocks; count += 1) yield block;
}

const SENDERS = {
  async rxsmtp() {
    const { SmtpClient } = await import('rxsmtp');
    await withClient(new SmtpClient({ host: '127.0.0.1', port: Number(port), security: ['none'] }), (client) =>
      lastValueFrom(client.send({ envelope: { from: 'a@example.com', to: ['b@example.org'] }, raw: () => body() })));
  },
  async nodemailer() {
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({ host: '127.0.0.1', port: Number(port), secure: false, ignoreTLS: true });
    await transport.sendMail({ envelope: { from: 'a@example.com', to: ['b@example.org'] }, raw: Readable.from(body()) });
    transport.close();
  },
};

async function withClient(client, work) {
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

for (let count = 0; count < blocks; count += 1) hash.update(block);
globalThis.gc?.();
const before = process.memoryUsage.rss();
let peak = before;
const watch = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 20);
const cpu = process.cpuUsage();
const start = performance.now();
await SENDERS[contender]();
const seconds = (performance.now() - start) / 1000;
clearInterval(watch);
const { user, system } = process.cpuUsage(cpu);
const sent = (blocks * block.length) / 2 ** 20;
process.send({ over: (peak - before) / 2 ** 20, rate: sent / seconds, cpu: (user + system) / 1000 / sent, sha256: hash.digest('hex') });
