import { readFile } from 'node:fs/promises';
import { securityOf } from '../config/from-text.js';
import { fromUrl } from '../config/index.js';
import { fromFile } from '../config/load.js';
import type { SmtpOptions } from '../index.js';
import { usage } from '../message/fields.js';
import { reasonOf } from '../protocol/error.js';
import { NEVER_IN_ARGUMENTS, type Values } from './arguments.js';
import type { Io } from './io.js';
import { password } from './password.js';

/** The flags of every command that talks to a server. */
export const SERVER_FLAGS = {
  server: { type: 'string' },
  config: { type: 'string' },
  security: { type: 'string' },
  ca: { type: 'string' },
  'password-file': { type: 'string' },
  timeout: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const SERVER_HELP = `  --server URL          smtp://user@host:587 or smtps://user@host; without a port all usual ones are tried
  --config FILE         settings from a file instead: JSON, app.config of .NET, or a URL
  --security HOW        tls (default), auto (default for this machine), or a list in order:
                        implicit,starttls,none
  --ca FILE             trust these certificates (PEM) instead of the usual ones
  --password-file FILE  the password; otherwise RXSMTP_PASSWORD or a prompt, never an argument
  --timeout MS          one limit over all that is done with the server, up to its verdict
  --verbose             print the dialogue on stderr, with secrets removed`;

export type ServerValues = Values<typeof SERVER_FLAGS>;

/** The options in the file that --config names, where it is given. */
export const configured = async ({ config, server, 'password-file': passwordFile }: ServerValues, { env }: Io): Promise<SmtpOptions | undefined> => {
  if (config === undefined) return undefined;
  if (server !== undefined) throw usage('--config and --server say the same thing: leave one.');
  if (passwordFile !== undefined) throw usage('--password-file belongs to --server. The file of --config names its own: "auth.passwordFile" in JSON, or ${NAME} of an environment variable.');
  return fromFile(config, env);
};

/**
 * The options that the flags ask for; asks for a password where the URL names a user.
 * @param mayAsk nothing else is read from stdin.
 */
export const serverOptions = async (values: ServerValues, config: SmtpOptions | undefined, io: Io, mayAsk = true): Promise<SmtpOptions> => {
  const security = values.security === undefined ? undefined : securityOf(values.security);
  const operation = values.timeout === undefined ? undefined : milliseconds(values.timeout);
  const ca = values.ca === undefined ? undefined : await authorities(values.ca);
  const options = config ?? await fromServer(values, io, mayAsk);
  return {
    ...options,
    ...(security === undefined ? {} : { security }),
    ...(ca === undefined ? {} : { tls: { ...options.tls, ca } }),
    ...(operation === undefined ? {} : { timeouts: { ...options.timeouts, operation } }),
  };
};

const authorities = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => { throw usage(`--ca cannot be read: ${reasonOf(cause)}`); });
  if (!/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(text)) throw usage(`--ca: the file ${file} holds no certificate in PEM, which begins with "-----BEGIN CERTIFICATE-----".`);
  return text;
};

const fromServer = async ({ server, 'password-file': passwordFile }: ServerValues, io: Io, mayAsk: boolean): Promise<SmtpOptions> => {
  const url = serverUrl(server);
  const user = decoded(url.username);
  // `user@` alone is half a login, which a URL cannot tell from a mistake: the other half comes from elsewhere.
  url.username = '';
  const options = fromUrl(url.href);
  if (user === '' && passwordFile !== undefined) throw usage('--password-file needs a user, and --server names none: smtp://user@host.');
  return user === '' ? options : { ...options, auth: { user, pass: await password(user, passwordFile, io, mayAsk) } };
};

const serverUrl = (text: string | undefined): URL => {
  if (text === undefined) throw usage('Give the server: --server smtp://user@host:587, or --config FILE.');
  if (!URL.canParse(text)) throw usage('--server is no URL. It looks like smtp://user@host:587 or smtps://user@host.');
  const url = new URL(text);
  const isSecret = [...url.searchParams].some(([key, value]) => /pass|token|secret/i.test(key) || /\/\/[^/@]*:[^/@]*@/.test(value));
  if (url.password !== '' || isSecret) throw usage(NEVER_IN_ARGUMENTS);
  if (url.host === '') throw usage('--server names no host. It looks like smtp://user@host:587 or smtps://user@host.');
  return url;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage('The user in --server is not percent-encoded correctly: "@" is %40, "%" is %25.');
  }
};

const milliseconds = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw usage('--timeout is a number of milliseconds above zero.');
  return Number(text);
};
