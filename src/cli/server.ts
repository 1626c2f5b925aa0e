import { readFile } from 'node:fs/promises';
import { fromUrl } from '../config/index.js';
import type { SecurityMode, SmtpOptions } from '../index.js';
import { NEVER_IN_ARGUMENTS, usage } from './arguments.js';
import type { Io } from './io.js';
import { password } from './password.js';

/** The flags of every command that talks to a server. */
export const SERVER_FLAGS = {
  server: { type: 'string' },
  security: { type: 'string' },
  ca: { type: 'string' },
  'password-file': { type: 'string' },
  timeout: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const SERVER_HELP = `  --server URL          smtp://user@host:587 or smtps://user@host; without a port every door is tried
  --security HOW        tls (default), auto, or a list in order: implicit,starttls,none
  --ca FILE             trust these certificates (PEM) instead of the usual ones
  --password-file FILE  else RXSMTP_PASSWORD, else a prompt; never an argument
  --timeout MS          one limit over the whole run
  --verbose             the dialogue on stderr, secrets gone`;

export interface ServerValues {
  readonly server?: string | undefined;
  readonly security?: string | undefined;
  readonly ca?: string | undefined;
  readonly 'password-file'?: string | undefined;
  readonly timeout?: string | undefined;
}

/** The options that the flags ask for; asks for a password where the URL names a user. */
export const serverOptions = async (values: ServerValues, io: Io): Promise<SmtpOptions> => {
  const url = serverUrl(values.server);
  const user = decoded(url.username);
  // `user@` alone is half a login, which a URL cannot tell from a mistake: the other half comes from elsewhere.
  url.username = '';
  const options = fromUrl(url.href);
  const security = values.security === undefined ? undefined : securityOf(values.security);
  const ca = values.ca === undefined ? undefined : await readFile(values.ca, 'utf8').catch((cause: unknown) => { throw usage(`--ca cannot be read: ${String(cause)}`); });
  return {
    ...options,
    ...(security === undefined ? {} : { security }),
    ...(ca === undefined ? {} : { tls: { ...options.tls, ca } }),
    ...(values.timeout === undefined ? {} : { timeouts: { ...options.timeouts, operation: milliseconds(values.timeout) } }),
    ...(user === '' ? {} : { auth: { user, pass: await password(user, values['password-file'], io) } }),
  };
};

const serverUrl = (text: string | undefined): URL => {
  if (text === undefined) throw usage('Give the server: --server smtp://user@host:587');
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

const MODES: readonly string[] = ['implicit', 'starttls', 'none'] satisfies readonly SecurityMode[];
const isMode = (word: string): word is SecurityMode => MODES.includes(word);

const securityOf = (text: string): NonNullable<SmtpOptions['security']> => {
  if (text === 'auto' || text === 'tls') return text;
  const modes = text.split(',');
  if (!modes.every(isMode)) throw usage('--security is tls, auto, or a list of implicit, starttls and none.');
  return modes;
};

const milliseconds = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw usage('--timeout is a number of milliseconds above zero.');
  return Number(text);
};
