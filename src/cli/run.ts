import { readFile } from 'node:fs/promises';
import { usage } from '../message/fields.js';
import { demo } from './demo.js';
import { endedBy } from './ending.js';
import { tell, writeLine, type CliCommand, type Io } from './io.js';
import { send } from './send.js';
import { verify } from './verify.js';

const COMMANDS: ReadonlyMap<string, CliCommand> = new Map([['demo', demo], ['send', send], ['verify', verify]]);

const HELP = `rxsmtp: mail as a stream of events

  rxsmtp demo             send to an embedded server, prove what arrived, cancel (default)
  rxsmtp send [flags]     send one mail
  rxsmtp verify [flags]   connect, secure and sign in, without a mail
  rxsmtp --version

Each command has --help. Exit codes: 0 accepted, 1 not sent, 2 refused, 3 unknown (may have been accepted), 4 accepted for some only, 64 wrong usage, 70 a fault of this program.`;

/** The program: a command and its arguments. Resolves with the exit code. */
export const run = async ([name = 'demo', ...argv]: readonly string[], io: Io): Promise<number> => {
  // Whoever reads may have read enough (`| head`): the exit code tells what became of the mail all the same.
  for (const output of [io.stdout, io.stderr]) output.on('error', () => undefined);
  try {
    if (name === '--help' || name === '-h' || name === 'help') return tell(io, HELP);
    if (name === '--version' || name === '-v') return tell(io, await version());
    const command = COMMANDS.get(name);
    // The word is not repeated: it may be a URL with a password in it.
    if (command === undefined) throw usage(`There is no such command. ${[...COMMANDS.keys()].join(', ')} are there; see rxsmtp --help.`);
    return await command(argv, io);
  } catch (error) {
    const { code, text } = endedBy(error);
    writeLine(io.stderr, `rxsmtp: ${text}`);
    return code;
  }
};

const version = async (): Promise<string> => {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return manifest.version;
};
