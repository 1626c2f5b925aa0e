import { SmtpClient } from 'rxsmtp';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
const count = Number(process.argv[2] ?? 5000);
const chunking = process.argv[3] !== 'data';
if (process.send) {
  // sink
} 
const body = Buffer.from('Subject: hello\r\nMessage-ID: <x@y>\r\n\r\n' + ('x'.repeat(70) + '\r\n').repeat(28));
const sink = fork('/tmp/prof-sink.mjs', [chunking ? 'c' : 'd']);
const [{ port }] = await once(sink, 'message');
const client = new SmtpClient({ host: '127.0.0.1', port, security: ['none'], pool: { maxConnections: 1, maxMessages: Infinity } });
function* source() { for (let n = 0; n < count; n++) yield { envelope: { from: `m${n}@bench.example`, to: ['r0@bench.example'] }, raw: body }; }
const run = () => new Promise((res, rej) => client.sendAll(source()).subscribe({ next: (e) => { if (e.type === 'failed') rej(e.error); }, error: rej, complete: res }));
await run();
const cpu = process.cpuUsage(); const t = performance.now();
await run();
const { user, system } = process.cpuUsage(cpu);
console.log((performance.now() - t) / count * 1000, 'us wall/mail', (user + system) / count, 'us cpu/mail');
await client.close(); sink.kill();
