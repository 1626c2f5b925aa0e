import { createSecureContext } from 'node:tls';
import { isPromise } from 'node:util/types';
import { localPort, oneOf } from '../config/checks.js';
import { fields, optional, usage } from '../message/fields.js';
import type { ServerOptions } from './options.js';

const LIMITS = ['mails', 'recipients', 'domains'] as const satisfies readonly (keyof NonNullable<ServerOptions['limits']>)[];
const LISTS = ['mechanisms', 'without', 'offers'] as const satisfies readonly (keyof ServerOptions)[];
const HOOKS = ['onSender', 'onRecipient', 'onMessage'] as const satisfies readonly (keyof ServerOptions)[];
const KNOWN = [
  'host', 'port', 'cert', 'key', 'tls', 'users', 'signIn', 'size', 'limits', 'faults', ...LISTS, ...HOOKS,
] as const satisfies readonly (keyof ServerOptions)[];

/** Options with a typing error would test nothing. @throws SmtpUsageError naming the one that cannot work. */
export const checkOptions = (options: unknown): void => {
  const given = fields(options, { path: '', noun: 'option', known: KNOWN });
  optional(oneOf(['starttls', 'implicit', 'none']))(given.tls, 'tls');
  optional(localPort)(given.port, 'port');
  optional(amount)(given.size, 'size');
  const limits = given.limits === undefined ? {} : fields(given.limits, { path: 'limits', noun: 'option', known: LIMITS });
  for (const [name, limit] of Object.entries(limits)) optional(amount)(limit, `limits.${name}`);
  for (const name of LISTS) optional(words)(given[name], name);
  for (const name of HOOKS) optional(aFunction)(given[name], name);
  for (const [user, password] of entries(given.users, 'users')) {
    if (typeof password !== 'string') throw usage(`The option "users.${user}" must be a password, a string.`);
  }
  if ((given.cert === undefined) !== (given.key === undefined)) throw usage('The options "cert" and "key" go together.');
  certificate(given.cert, given.key);
  for (const [name, run] of entries(given.signIn, 'signIn')) {
    if (typeof run !== 'function') throw usage(`The option "signIn.${name}" must be a function.`);
  }
  if (given.faults !== undefined && !Array.isArray(given.faults)) throw usage('The option "faults" must be a list.');
};

/** What stands under names of the caller's own. */
const entries = (value: unknown, path: string): readonly (readonly [name: string, value: unknown])[] =>
  value === undefined ? [] : Object.entries(fields(value, { path, noun: 'option', known: Object.keys(value ?? {}) }));

const amount = (value: unknown, name: string): void => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw usage(`The option "${name}" must be a whole number, 0 or more.`);
};

const words = (value: unknown, name: string): void => {
  if (!Array.isArray(value) || !value.every((word) => typeof word === 'string')) throw usage(`The option "${name}" must be a list of strings.`);
};

const certificate = (cert: unknown, key: unknown): void => {
  try {
    createSecureContext({ cert: cert as string | undefined, key: key as string | undefined });
  } catch {
    throw usage('The options "cert" and "key" must be a certificate and its key, as PEM.');
  }
};

const aFunction = (value: unknown, name: string): void => {
  if (typeof value !== 'function') throw usage(`The option "${name}" must be a function that gives a reply, or nothing.`);
};

/** What a function of the options gave. @throws SmtpUsageError where that is no reply. */
export const replyOf = (hook: (typeof HOOKS)[number], given: unknown): string | undefined => {
  if (given === undefined || (typeof given === 'string' && /^[2-5]\d\d(?:[ -]|$)/.test(given))) return given;
  const wanted = `must give a reply, as in "550 5.7.1 no", or nothing`;
  if (!isPromise(given)) throw usage(`The function in the option "${hook}" ${wanted}.`);
  // Nobody waits for it: what it fails with later would end the whole test run.
  given.catch(() => undefined);
  throw usage(`The function in the option "${hook}" gave a promise. It ${wanted}, at once: take its "async" away.`);
};
