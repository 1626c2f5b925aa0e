import { didYouMean, fields, optional, unlike, usage } from '../message/fields.js';
import { MECHANISM_NAME } from '../protocol/capabilities.js';
import { Secret } from '../protocol/secret.js';
import { mechanismsFor } from '../sasl/choose.js';
import type { SaslMechanism } from '../sasl/mechanism.js';
import type { SessionCredentials } from '../session/settings.js';
import { tokenSource, type TokenFunction } from '../session/token-source.js';
import { list, text } from './checks.js';
import { AUTH_ELSEWHERE } from './elsewhere.js';

/** SCRAM, CRAM-MD5, PLAIN or LOGIN; also DIGEST-MD5 or NTLM if `allowedAuthentication` names them. */
export interface PasswordAuth {
  readonly user: string;
  readonly pass: string;
}

/** OAUTHBEARER or XOAUTH2. */
export interface TokenAuth {
  readonly user: string;
  /**
   * The token, or a function that returns one for each connection: at most one call is in flight. After a permanent refusal (5yz) it
   * is called once more with `rejected`, the server's reply, and must then get a fresh token.
   */
  readonly token: string | TokenFunction;
}

/** EXTERNAL: the client certificate in `tls.cert` or `tls.pfx` says who the user is. */
export interface ExternalAuth {
  readonly external: true;
  /** The user to act as. Default: the one that the certificate names. */
  readonly authzid?: string;
}

export const AUTH_OPTIONS = ['user', 'pass', 'token', 'external', 'authzid'] as const;

export const checkAuth = (value: unknown): SessionCredentials | undefined => {
  if (value === undefined) return undefined;
  if (isMechanism(value)) {
    mechanismName(value.name, 'auth.name');
    if (typeof value.done !== 'boolean') throw usage('The option "auth.done" must be true or false: whether everything due was said and verified when the server says 235.');
    return { kind: 'mechanism', mechanism: value };
  }
  const { user, pass, token, external, authzid } = fields(value, { path: 'auth', noun: 'option', known: AUTH_OPTIONS, refused: AUTH_ELSEWHERE });
  const ways = Object.entries({ 'auth.pass': pass, 'auth.token': token, 'auth.external': external }).filter(([, given]) => given !== undefined).map(([name]) => name);
  if (ways.length > 1) throw usage(`The options ${ways.map((name) => `"${name}"`).join(' and ')} are different ways to sign in. Leave one.`);
  if (external !== undefined) {
    if (external !== true || user !== undefined) throw usage('The option "auth.external" must be true, and stands without "auth.user". For whom to act is "auth.authzid".');
    return { kind: 'external', authzid: optional(text)(authzid, 'auth.authzid') ?? '' };
  }
  if (authzid !== undefined) throw usage('The option "auth.authzid" goes with "auth.external" only.');
  if (ways.length === 0 && user !== undefined) throw usage('The option "auth.pass" is missing, or "auth.token".');
  if (token === undefined) return { kind: 'password', user: text(user, 'auth.user'), pass: new Secret(text(pass, 'auth.pass')) };
  return { kind: 'token', user: tokenUser(user), tokens: tokenSource(tokenOrFunction(token)) };
};

/** One list may serve several kinds of `auth`, so that one name that can be used is enough. */
export const checkAllowed = (value: unknown, credentials: SessionCredentials | undefined): readonly string[] | undefined => {
  const allowed = optional(list(mechanismName))(value, 'allowedAuthentication');
  if (allowed === undefined || credentials === undefined) return allowed;
  const known = mechanismsFor(credentials);
  if (known.some((name) => allowed.includes(name.toUpperCase()))) return allowed;
  const question = allowed.map((name) => didYouMean(name, known)).find((asked) => asked !== '') ?? '';
  throw usage(`The option "allowedAuthentication" names nothing that can be used with this "auth".${question} It takes: ${known.join(', ')}.`);
};

// What separates the fields of a token's message (RFC 7628 section 3.1) can be in none of them.
const tokenUser = (value: unknown): string => {
  const user = text(value, 'auth.user');
  if (user.includes('\x01')) throw usage('The option "auth.user" holds a control character that ends a field beside a token. Remove it.');
  return user;
};

const tokenOrFunction = (value: unknown): string | TokenFunction => {
  if (typeof value === 'string' || typeof value === 'function') return value as string | TokenFunction;
  throw unlike('The option "auth.token"', 'a string, or a function that gives one', value);
};

// Its functions may stand on a prototype, as those of any class do; what has a field of ours is no mechanism.
const isMechanism = (value: unknown): value is SaslMechanism => {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, 'user') || Object.hasOwn(value, 'pass') || Object.hasOwn(value, 'token')) return false;
  const { name, start, next } = value as Partial<Record<keyof SaslMechanism, unknown>>;
  return typeof name === 'string' && typeof start === 'function' && typeof next === 'function';
};

const mechanismName = (value: unknown, name: string): string => {
  const mechanism = text(value, name).toUpperCase();
  if (!MECHANISM_NAME.test(mechanism)) throw usage(`The option "${name}" must be the name of a SASL mechanism, as in "PLAIN".`);
  return mechanism;
};
