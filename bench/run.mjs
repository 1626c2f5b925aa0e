// The memory of one large message: resident size over the start, beside nodemailer in the same run.
// Usage: npm run bench [-- --quick]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const quick = process.argv.includes('--quick');
const megabytes = quick ? 64 : 1024;

/** Runs one contender in a process of its own against a sink in another. */
async function measure(contender) {
  const sink = fork(fileURLToPath(new URL('sink.mjs', import.meta.url)));
  const [{ port }] = await once(sink, 'message');
  const client = fork(fileURLToPath(new URL('large-body.mjs', import.meta.url)), [contender, String(port), String(megabytes)]);
  const [result] = await once(client, 'message');
  sink.send('sum');
  const [received] = await once(sink, 'message');
  sink.kill();
  client.kill();
  if (received.sha256 !== result.sha256) throw new Error(`${contender}: what arrived is not what was sent.`);
  return result;
}

console.log(`One body of ${megabytes} MB over DATA, loopback, Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}\n`);
const results = {};
for (const contender of ['rxsmtp', 'nodemailer']) results[contender] = await measure(contender);
const row = (...cells) => console.log(cells.map((cell) => String(cell).padEnd(14)).join(''));
row('', 'RSS over MB', 'MB/s', 'cpu ms/MB');
for (const [name, { over, rate, cpu }] of Object.entries(results)) row(name, over.toFixed(1), rate.toFixed(0), cpu.toFixed(2));
const { rxsmtp, nodemailer } = results;
row('ratio', (rxsmtp.over / nodemailer.over).toFixed(2), (rxsmtp.rate / nodemailer.rate).toFixed(2), (rxsmtp.cpu / nodemailer.cpu).toFixed(2));
