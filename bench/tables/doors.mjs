// Auto mode at doors that are not what their port says.
import { certificate } from '../certificate.mjs';
import { withProcesses } from '../process.mjs';
import { inRounds, medianOf } from '../rounds.mjs';
import { number, table, verdict } from './format.mjs';

// An address of its own, so that the well-known ports are free on it.
const HOST = '127.0.0.2';
// For a handshake and its process on a busy machine.
const SLACK = 250;
const STEP = 300;
const STAGGER = `rxsmtp, stagger ${STEP}`;

const DOORS = [
  { name: 'TLS at once, on an odd port', door: 'implicit', ends: 'encrypted', within: { rxsmtp: () => SLACK } },
  { name: 'TLS at once, on 587', door: 'implicit', port: 587, ends: 'encrypted', within: { rxsmtp: (timeout) => timeout + SLACK, [STAGGER]: () => STEP + SLACK } },
  { name: 'STARTTLS, on 465', door: 'starttls', port: 465, ends: 'encrypted', within: { rxsmtp: () => SLACK } },
  // Two ways in: TLS, and one greeting for STARTTLS and clear text.
  { name: 'silent, on an odd port', door: 'silent', ends: 'gave up', within: { rxsmtp: (timeout) => 2 * timeout + SLACK, [STAGGER]: (timeout) => timeout + 2 * STEP + SLACK } },
];
const OURS = ['rxsmtp', STAGGER];
const PEERS = ['in turn: clear, then TLS', 'in turn: TLS, then clear', 'nodemailer', 'emailjs', 'upyo'];

const open = (start, { door, port }, tls) => start('server/sink.mjs', { host: HOST, port, door, ...tls }).answer();

const knock = (door, client, tls, timeout) =>
  withProcesses(async (start) => {
    const { port } = await open(start, door, tls);
    const { end, ms } = await start('door-client.mjs', { client, host: HOST, port, ca: tls.cert, timeout }, 30_000).answer();
    // A version without the staggered race refuses its option, and has no time to show.
    const entered = client === 'rxsmtp' || (client === STAGGER && ms !== undefined);
    if (entered && end !== door.ends) throw new Error(`${door.name}: it ended with "${end}", not with "${door.ends}"`);
    return { end, ms };
  });

/** @returns {Promise<{ text: string, failures: string[] }>} */
export async function doors(quick) {
  const timeout = quick ? 400 : 1000;
  const title = `Auto mode: ms until a mail can start, each step with a limit of ${timeout} ms`;
  const tls = certificate(HOST);
  if (tls === undefined) return { text: `${title}\n\nSkipped: there is no openssl to make a certificate.`, failures: [] };
  const clients = quick ? OURS : [...OURS, ...PEERS];
  const cells = new Map(clients.map((client) => [client, []]));
  const notes = [];
  const failures = [];
  for (const door of DOORS) {
    const { error } = await withProcesses((start) => open(start, door, tls));
    if (error !== undefined) {
      notes.push(`${door.name}: skipped, ${error}`);
      for (const row of cells.values()) row.push('–');
      continue;
    }
    const { results, failures: failed } = await inRounds(quick ? 1 : 3, clients, (client) => knock(door, client, tls, timeout));
    failures.push(...failed);
    for (const [client, row] of cells) {
      const all = results.get(client) ?? [];
      const ms = medianOf(all, 'ms');
      row.push(ms === undefined ? '–' : `${all[0].end}, ${number(ms)}`);
      const limit = door.within[client]?.(timeout);
      if (ms !== undefined && limit !== undefined) notes.push(`${client}, ${door.name}: ${verdict(`<= ${limit} ms`, ms <= limit)}`);
    }
  }
  const head = ['', ...DOORS.map(({ name }) => name)];
  return { text: [title, '', table([head, ...[...cells].map(([client, row]) => [client, ...row])]), '', ...notes.map((note) => `- ${note}`)].join('\n'), failures };
}
