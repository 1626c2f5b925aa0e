import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { text as allOf } from 'node:stream/consumers';
import { catchError, map, merge, of, scan, startWith, withLatestFrom } from 'rxjs';
import { receipts, SmtpClient, type ComposedMessage, type Envelope, type Message, type Receipt } from '../index.js';
import { usage } from '../message/fields.js';
import { apart } from '../message/header.js';
import { reasonOf } from '../protocol/error.js';
import { printable } from '../protocol/printable.js';
import { flags, type Values } from './arguments.js';
import { dialogue } from './dialogue.js';
import { endedBy, interrupted, tellFirst, whoWasRefused, type Ending } from './ending.js';
import { EXIT_CODES } from './exit-codes.js';
import { tell, type CliCommand, type Io } from './io.js';
import { inBase64 } from './payload.js';
import { printEvents } from './print-event.js';
import { configured, SERVER_FLAGS, SERVER_HELP, serverOptions } from './server.js';

const FLAGS = {
  ...SERVER_FLAGS,
  from: { type: 'string' },
  to: { type: 'string', multiple: true },
  cc: { type: 'string', multiple: true },
  bcc: { type: 'string', multiple: true },
  subject: { type: 'string' },
  text: { type: 'string' },
  html: { type: 'string' },
  attach: { type: 'string', multiple: true },
  raw: { type: 'string' },
} as const;

const HELP = `rxsmtp send --server URL --from ADDRESS --to ADDRESS [flags]: send one mail

${SERVER_HELP}
  --from, --to, --cc, --bcc   addresses; all but --from may be repeated; --config may name the sender
  --subject, --text, --html   what the mail says; --text - or --html - reads stdin
  --attach FILE               may be repeated; the file is streamed
  --raw FILE                  send this finished message instead; --raw - reads stdin, --from '<>' is the empty sender

Exit codes: 0 accepted, 1 not sent, 2 refused, 3 unknown (may have been accepted), 4 accepted for some only, 64 wrong usage.`;

type SendValues = Values<typeof FLAGS>;

/** Sends one mail and shows what happens. Ctrl-C cancels, and tells what is known of the outcome. */
export const send: CliCommand = async (argv, io) => {
  const values = flags(argv, FLAGS);
  if (values.help === true) return tell(io, HELP);
  const config = await configured(values, io);
  const { read, expected } = await mailOf(values, values.from ?? config?.defaults?.from, io);
  const readsStdin = [values.text, values.html, values.raw].includes('-');
  await using client = new SmtpClient(await serverOptions(values, config, io, !readsStdin));
  const message = await read();
  const contentHasLeft$ = dialogue(client, values, io).pipe(scan((left, leaves) => left || leaves, false), startWith(false));
  return await tellFirst(merge(
    // First, because the log tells nothing to those who come late.
    io.interrupted$.pipe(withLatestFrom(contentHasLeft$), map(([, left]) => interrupted(left))),
    client.send(message).pipe(printEvents(io.stdout, expected), receipts(), map(accepted), catchError((error: unknown) => of(endedBy(error)))),
  ), io);
};

const accepted = ({ accepted: taken, refused, messageId }: Receipt): Ending => ({
  code: EXIT_CODES[refused.length > 0 ? 'partly' : 'accepted'],
  text: [
    `accepted for ${taken.join(', ')}${messageId === undefined ? '' : ` as ${messageId}`}`,
    ...whoWasRefused(refused),
  ].join('\n'),
});

interface PreparedMail {
  /** Called when all else was found right: a person may be about to type it. */
  readonly read: () => Message | Promise<Message>;
  /** About how many bytes it will have. */
  readonly expected: number | undefined;
}

const mailOf = async (values: SendValues, from: string | undefined, io: Io): Promise<PreparedMail> => {
  const { to = [], cc = [], bcc = [] } = values;
  if (from === undefined) throw usage('Give the sender: --from ann@example.com');
  const everybody = [...to, ...cc, ...bcc];
  if (everybody.length === 0) throw usage('Give a recipient: --to bob@example.org');
  return values.raw === undefined ? composed(values, from, io) : raw(values, values.raw, envelopeOf(from, everybody), io);
};

// A finished message has its display names in its own header.
const envelopeOf = (from: string, to: readonly string[]): Envelope => ({ from: from === '<>' ? null : apart(from, 'from').address, to: to.map((one) => apart(one, 'to').address) });

const raw = async (values: SendValues, file: string, envelope: Envelope, { stdin }: Io): Promise<PreparedMail> => {
  const { subject, text, html, attach } = values;
  if ([subject, text, html, attach].some((value) => value !== undefined)) throw usage('--raw brings its own header and parts: leave --subject, --text, --html and --attach out.');
  // Not the stream itself, which an empty pipe ends before a server is ready for it.
  if (file === '-') return { read: () => ({ envelope, raw: stdin[Symbol.asyncIterator]() }), expected: undefined };
  const bytes = await sizeOf(file);
  return { read: () => ({ envelope, raw: () => createReadStream(file), size: bytes }), expected: bytes };
};

const composed = async ({ to, cc, bcc, subject, text, html, attach: files = [] }: SendValues, from: string, { stdin }: Io): Promise<PreparedMail> => {
  if (text === undefined && html === undefined && files.length === 0) throw usage('The mail has no content. Give --text or --html (- is stdin), --attach FILE, or a finished message with --raw.');
  if (text === '-' && html === '-') throw usage('--text and --html cannot both be stdin.');
  const given = async (value: string | undefined): Promise<string | undefined> => (value === '-' ? allOf(stdin) : value);
  const sizes = await Promise.all(files.map(sizeOf));
  const attachments = files.map((file) => ({ filename: basename(file), content: () => createReadStream(file) }));
  return {
    // What is undefined counts as absent.
    read: async () => ({ from, to, cc, bcc, subject, text: await given(text), html: await given(html), attachments }) as ComposedMessage,
    expected: sizes.length === 0 ? undefined : sizes.reduce((sum, bytes) => sum + inBase64(bytes), 0),
  };
};

const sizeOf = async (file: string): Promise<number> => {
  const cannotBeRead = (cause: unknown): never => { throw usage(`A file cannot be read: ${reasonOf(cause)}`); };
  const found = await stat(file).catch(cannotBeRead);
  if (!found.isFile()) throw usage(`${printable(file)} is no file.`);
  await (await open(file).catch(cannotBeRead)).close();
  return found.size;
};
