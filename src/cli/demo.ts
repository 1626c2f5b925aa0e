import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { lastValueFrom, takeWhile } from 'rxjs';
import { receipts, SmtpClient, type ComposedMessage } from '../index.js';
import { startServer, type TestServer } from '../testing/index.js';
import { flags } from './arguments.js';
import { EXIT_CODES } from './exit-codes.js';
import { tell, writeLine, type CliCommand, type Io } from './io.js';
import { attachmentOf, inBase64, pseudoRandom } from './payload.js';
import { printEvents } from './print-event.js';
import { style } from './style.js';

const HELP = `rxsmtp demo: a mail as a stream of events, with a server of its own on this machine

Sends 25 MB to two recipients: the first way to connect fails, the second works, and one recipient is refused. Proves that
what arrived is byte for byte what was meant, then sends again and cancels half-way. Nothing leaves this machine.`;

const ATTACHMENT = 25_000_000;
const FILENAME = 'holiday.bin';
const EXPECTED = inBase64(ATTACHMENT);

/** Sends, proves and cancels at an embedded server. Fails loudly if anything is not as it says. */
export const demo: CliCommand = async (argv, io) => {
  const { help } = flags(argv, { help: { type: 'boolean', short: 'h' } });
  if (help === true) return tell(io, HELP);
  await using server = await startServer({
    users: { ann: 'open sesame' },
    onRecipient: (path) => (path === 'nobody@example.org' ? '550 5.1.1 No such user here' : undefined),
  });
  await using client = new SmtpClient({
    host: 'localhost', port: server.port, security: 'tls', tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' },
  });
  await sendAll(client, server, io);
  await cancelHalfWay(client, server, io);
  return EXIT_CODES.accepted;
};

const message = (): ComposedMessage => ({
  from: 'Ann <ann@example.com>',
  to: ['Bob <bob@example.org>', 'nobody@example.org'],
  subject: 'Our holiday',
  text: 'Hi Bob,\n\nhere are the pictures.\n\nAnn\n',
  attachments: [{ filename: FILENAME, content: () => Readable.from(pseudoRandom(ATTACHMENT), { objectMode: false }) }],
});

const sendAll = async (client: SmtpClient, server: TestServer, io: Io): Promise<void> => {
  title(io, 'A mail of 25 MB, through whichever door opens');
  const { queueId, messageId } = await lastValueFrom(client.send(message()).pipe(printEvents(io.stdout, EXPECTED), receipts()));
  const [received] = server.messages;
  const attachment = received === undefined ? undefined : attachmentOf(received.content, FILENAME);
  const meant = createHash('sha256');
  for (const bytes of pseudoRandom(ATTACHMENT)) meant.update(bytes);
  check(received?.queueId === queueId && received?.content.includes(`Message-ID: ${String(messageId)}\r\n`) === true, 'the mail that arrived is another one');
  check(received?.to.join(' ') === 'bob@example.org', 'a refused recipient got the mail');
  check(attachment?.length === ATTACHMENT && sha256(attachment) === meant.digest('hex'), 'the attachment was changed on the way');
  proof(io, `what arrived is what was meant: ${ATTACHMENT} bytes, SHA-256 ${sha256(attachment ?? '').slice(0, 16)}...`);
};

const cancelHalfWay = async (client: SmtpClient, server: TestServer, io: Io): Promise<void> => {
  title(io, 'The same mail again, cancelled half-way');
  const before = server.messages.length;
  // takeWhile unsubscribes, and that is all there is to it.
  await lastValueFrom(client.send(message()).pipe(printEvents(io.stdout, EXPECTED), takeWhile((event) => event.type !== 'progress' || event.bytesSent < EXPECTED / 2)));
  await server.idle();
  check(server.messages.length === before, 'a cancelled mail was delivered');
  proof(io, 'nothing was delivered, and the connection is gone');
};

const title = ({ stdout }: Io, text: string): void => { writeLine(stdout, `\n${style(stdout, 'bold', text)}\n`); };
const proof = ({ stdout }: Io, text: string): void => { writeLine(stdout, `\n  ${style(stdout, 'green', 'proof:')} ${text}`); };
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(`The demo went wrong: ${what}.`);
};
