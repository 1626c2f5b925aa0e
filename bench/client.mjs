// One contender at work, a process of its own, and what it cost.
import { once } from 'node:events';
import { content } from './content.mjs';

/**
 * @typedef {object} Job
 * @property {number} port
 * @property {number} mails
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
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

globalThis.gc();
const before = process.memoryUsage.rss();
const samples = [before];
const watch = setInterval(() => samples.push(process.memoryUsage.rss()), 20);
const cpu = process.cpuUsage();
const start = performance.now();

const client = await connect(job);
await client.send(job.mails, mail);

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
