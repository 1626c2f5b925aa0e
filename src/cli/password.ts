import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { readPasswordFile } from '../config/password-file.js';
import { usage } from '../message/fields.js';
import { printable } from '../protocol/printable.js';
import type { Io } from './io.js';

/** The password: from a file, from the environment, or typed by a person. Never from the arguments. */
export const password = async (user: string, file: string | undefined, io: Io, mayAsk: boolean): Promise<string> => {
  if (file !== undefined) return readPasswordFile(file, 'flag --password-file');
  const given = io.env.RXSMTP_PASSWORD;
  if (given !== undefined && given !== '') return given;
  if (io.stdin.isTTY === true && mayAsk) return ask(user, io);
  if (!mayAsk) throw usage('A user needs a password, and it cannot be asked for where the mail is read from stdin: use --password-file or RXSMTP_PASSWORD.');
  throw usage('A user needs a password: use --password-file FILE, the environment variable RXSMTP_PASSWORD, or a terminal.');
};

const ask = async (user: string, { stdin, stderr }: Io): Promise<string> => {
  // Line editing echoes what is typed: here it goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => { done(); } });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true });
  const givenUp = new AbortController();
  lines.once('close', () => { givenUp.abort(); });
  stderr.write(`Password for ${printable(user)}: `);
  try {
    return await lines.question('', { signal: givenUp.signal });
  } catch {
    throw usage('No password was given.');
  } finally {
    lines.close();
    stderr.write('\n');
  }
};
