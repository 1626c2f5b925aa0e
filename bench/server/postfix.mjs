// A real Postfix in the place of sink.mjs, with its defaults: it keeps every mail in its hold queue, where it is read from.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Inbox } from './inbox.mjs';

const START_LIMIT = 20_000;
// Processes of its own: when the first of them is killed, the kernel ends the rest, and that one ends with this script.
const PRIVATE = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
// The first process is this shell, since one that changes its user is no longer told of our death. Hence no exec.
const FIRST = ['sh', '-c', '"$@"; exit $?', 'sh'];
const ENVELOPE = 'EHLO bench\r\nMAIL FROM:<ready@bench.example>\r\nRCPT TO:<ready@bench.example>\r\nQUIT\r\n';
const ADDED = /^Received: .*\n(?:[\t ].*\n)*/;

const main = (folder) => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
meta_directory = /etc/postfix
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = postfix.bench.example
mydestination =
inet_interfaces = loopback-only
alias_maps =
alias_database =
smtpd_client_restrictions = check_client_access static:HOLD
# Else it takes mail more slowly than it can, since none is delivered.
in_flow_delay = 0
`;

// Nothing that could deliver.
const master = (port) => `
127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether it takes an envelope: with one, the processes behind the door have started too, and no client waits for them. */
const isReady = (port) =>
  new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(ENVELOPE));
    socket.on('data', (chunk) => { heard += chunk; }).on('error', () => undefined).on('close', () => resolve(heard.includes('\n221 ')));
    socket.setTimeout(START_LIMIT, () => socket.destroy());
  });

const lastLine = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').at(-1) : '');

/** Starts it in `folder`, and gives its port when it is ready; throws what keeps it from that. */
async function open(folder) {
  if (process.getuid?.() !== 0) throw new Error('Postfix needs root');
  if (spawnSync('postconf', ['-d', 'mail_version']).status !== 0) throw new Error('there is no Postfix');
  // It gives up root, and must still find its way in.
  chmodSync(folder, 0o755);
  for (const part of ['etc', 'queue']) mkdirSync(join(folder, part));
  const port = await freePort();
  writeFileSync(join(folder, 'etc/main.cf'), main(folder));
  writeFileSync(join(folder, 'etc/master.cf'), master(port));
  const output = openSync(join(folder, 'output'), 'w');
  const postfix = spawn('setpriv', [...PRIVATE, ...FIRST, 'postfix', '-c', join(folder, 'etc'), 'start-fg'], { stdio: ['ignore', output, output] });
  process.once('exit', () => postfix.kill('SIGKILL'));
  const ended = new Promise((_, reject) => {
    postfix.once('error', reject);
    postfix.once('exit', (code) => reject(new Error(`Postfix ended with ${code} ${lastLine(join(folder, 'log')) || lastLine(join(folder, 'output'))}`.trim())));
  });
  // Nobody has to wait for its end.
  ended.catch(() => undefined);
  const giveUpAt = Date.now() + START_LIMIT;
  while (!await Promise.race([isReady(port), ended])) {
    if (Date.now() > giveUpAt) throw new Error(`Postfix was not ready within ${START_LIMIT / 1000} s`);
    await pause(50);
  }
  return port;
}

/** Everything in the hold queue: Postfix's own `postcat` reads it. */
function inboxOf(folder) {
  const inbox = new Inbox();
  const held = join(folder, 'queue/hold');
  const files = readdirSync(held).map((name) => join(held, name));
  const text = files.length === 0 ? '' : execFileSync('postcat', ['-c', join(folder, 'etc'), ...files], { encoding: 'latin1', maxBuffer: Infinity });
  for (const mail of text.split(/^\*\*\* MESSAGE FILE END .*\n/m).slice(0, -1)) {
    const [envelope, content] = mail.split(/^\*\*\* (?:MESSAGE CONTENTS|HEADER EXTRACTED) .*\n/m);
    // A queue file has the lines without their CR, and one header more.
    const sent = content.replace(ADDED, '').replaceAll('\n', '\r\n');
    inbox.keep({
      sender: /^sender: (.*)$/m.exec(envelope)?.[1],
      recipients: envelope.match(/^recipient: /gm)?.length ?? 0,
      digest: createHash('sha256').update(sent, 'latin1').digest('latin1'),
      untouched: false,
    });
  }
  return inbox;
}

const folder = mkdtempSync(join(tmpdir(), 'rxsmtp-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const end of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(end, () => process.exit());

process.on('message', (expected) => process.send({ faults: inboxOf(folder).faults(expected) }));
process.send(await open(folder).then((port) => ({ port }), ({ message }) => ({ error: message })));
