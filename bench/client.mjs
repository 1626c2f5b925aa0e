// One contender at work, a process of its own, and what it cost.
import { once } from 'node:events';
import { content } from './content.mjs';

/**
 * @typedef {object} Job
 * @property {number} port
 * @property {number} mails
 * @property {number} [warmUp] so many of them are sent before the clock starts, in bursts of 2,000 at most
 * @property {number} connections
 * @property {boolean} [auth]
 * @property {number} [depth] mails in flight on a connection
 * @property {boolean} [perMail] a connection for each mail, one after the other
 * @property {boolean} [oneByOne] no mail is given before the one before was taken
 */

const asked = once(process, 'message');
const { adapter, content: description } = JSON.parse(process.argv[2]);
const { connect } = await import(`./contenders/${adapter}.mjs`);
const { mail } = content(description);
/** @type {[Job]} */
const [job] = await asked;

const MB = 2 ** 20;
// A program that runs for long sends now and then.
const BURST = 2_000;
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

const { mails, warmUp = 0 } = job;
const begin = async () => {
  const client = await connect(job);
  for (let sent = 0; sent < warmUp; sent += BURST) await client.send(Math.min(BURST, warmUp - sent), (n) => mail(sent + n));
  return client;
};
// No collection behind a warm-up: with no mail under way it would take compiled code along, with the shapes that it was made for.
const warm = warmUp > 0 ? await begin() : globalThis.gc();
const before = process.memoryUsage.rss();
const samples = [before];
const watch = setInterval(() => samples.push(process.memoryUsage.rss()), 20);
const cpu = process.cpuUsage();
const start = performance.now();

const client = warm ?? await connect(job);
await client.send(mails - warmUp, (n) => mail(warmUp + n));

const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
clearInterval(watch);
samples.push(process.memoryUsage.rss());
const quarter = samples.length >> 2;
process.send({
  seconds,
  cpu: user + system,
  over: (Math.max(...samples) - before) / MB,
  // From the second quarter to the last one: what goes on growing.
  growth: (median(samples.slice(-quarter)) - median(samples.slice(quarter, 2 * quarter))) / MB,
});
await client.close();
process.disconnect();
