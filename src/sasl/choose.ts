import type { Secret } from '../protocol/secret.js';
import type { ChannelBinding } from './channel-binding.js';
import { cramMd5 } from './cram-md5.js';
import { digestMd5 } from './digest-md5.js';
import { external } from './external.js';
import { login } from './login.js';
import type { SaslMechanism } from './mechanism.js';
import { ntlm } from './ntlm.js';
import { oauthBearer, type Service } from './oauthbearer.js';
import { plain } from './plain.js';
import { scram, type ScramChannel, type ScramHash } from './scram.js';
import { xoauth2 } from './xoauth2.js';

/** What a client signs in with. The secret itself is asked for only when a way was found to use it. */
export type Credentials =
  | { readonly kind: 'password' | 'token'; readonly user: string }
  | { readonly kind: 'external'; readonly authzid: string }
  | { readonly kind: 'mechanism'; readonly mechanism: SaslMechanism };

/** As whom. Empty where only a certificate or the mechanism knows. */
export const userOf = (credentials: Credentials): string => {
  switch (credentials.kind) {
    case 'password': case 'token': return credentials.user;
    case 'external': return credentials.authzid;
    case 'mechanism': return '';
  }
};

export interface Conditions {
  /** Names that the server offers. */
  readonly offered: readonly string[];
  /** Names that the options allow; all that are safe, where they say nothing. */
  readonly allowed?: readonly string[] | undefined;
  /** Nobody can read along, or the options accept that. */
  readonly confidential: boolean;
  /** What a sign-in can be tied to. */
  readonly binding?: ChannelBinding | undefined;
  /** The server as the options name it. */
  readonly service: Service;
}

export interface Choice {
  /** Strongest first. */
  readonly usable: readonly Way[];
  /** What the credentials and the options allow, offered or not. */
  readonly allowed: readonly string[];
  /** What was offered and allowed, and would give the credentials away here. */
  readonly withheld: readonly string[];
}

/** One way to use some credentials. */
export interface Way {
  readonly name: string;
  readonly clearTextSafe: boolean;
  /** Only where the options name it. */
  readonly onRequest?: true;
  /** A fresh exchange with the password or token; other credentials have none. */
  readonly begin: (secret: Secret) => SaslMechanism;
}

/** The mechanisms to try, and what stood against the others. */
export const candidates = (credentials: Credentials, conditions: Conditions): Choice => {
  const { offered, allowed, confidential } = conditions;
  const possible = waysOf(credentials, conditions).filter(({ name, onRequest }) => (allowed === undefined ? onRequest !== true : includes(allowed, name)));
  const common = possible.filter(({ name }) => includes(offered, name));
  const isSafe = ({ clearTextSafe }: Way): boolean => confidential || clearTextSafe;
  return {
    usable: common.filter(isSafe),
    allowed: possible.map(({ name }) => name),
    withheld: common.filter((way) => !isSafe(way)).map(({ name }) => name),
  };
};

/** Strongest first. */
const waysOf = (credentials: Credentials, conditions: Conditions): readonly Way[] => {
  const { service } = conditions;
  switch (credentials.kind) {
    case 'password': {
      const { user } = credentials;
      return [
        ...scramWays(user, conditions),
        { name: 'DIGEST-MD5', clearTextSafe: true, onRequest: true, begin: (pass) => digestMd5(user, pass, service) },
        { name: 'CRAM-MD5', clearTextSafe: true, begin: (pass) => cramMd5(user, pass) },
        { name: 'NTLM', clearTextSafe: true, onRequest: true, begin: (pass) => ntlm(user, pass) },
        { name: 'PLAIN', clearTextSafe: false, begin: (pass) => plain(user, pass) },
        { name: 'LOGIN', clearTextSafe: false, begin: (pass) => login(user, pass) },
      ];
    }
    case 'token':
      return [
        { name: 'OAUTHBEARER', clearTextSafe: false, begin: (token) => oauthBearer(credentials.user, token, service) },
        { name: 'XOAUTH2', clearTextSafe: false, begin: (token) => xoauth2(credentials.user, token) },
      ];
    case 'external':
      return [{ name: 'EXTERNAL', clearTextSafe: true, begin: () => external(credentials.authzid) }];
    case 'mechanism':
      return [{ name: credentials.mechanism.name, clearTextSafe: credentials.mechanism.clearTextSafe === true, begin: () => credentials.mechanism }];
  }
};

const HASHES: readonly ScramHash[] = ['SHA-512', 'SHA-256', 'SHA-1'];

// What is tied to the connection goes first whatever its hash: a man in the middle is nearer than a broken SHA-1.
const scramWays = (user: string, { offered, binding }: Conditions): readonly Way[] => {
  const unbound = binding !== undefined && !offered.some((name) => /^SCRAM-.*-PLUS$/i.test(name)) ? 'could-bind' : 'none';
  const channels: readonly ScramChannel[] = binding === undefined ? [unbound] : [binding, unbound];
  return channels.flatMap((channel) =>
    HASHES.map((hash): Way => ({
      name: `SCRAM-${hash}${typeof channel === 'string' ? '' : '-PLUS'}`,
      clearTextSafe: true,
      begin: (pass) => scram(user, pass, { hash, channel }),
    })));
};

const includes = (names: readonly string[], name: string): boolean => names.some((other) => other.toUpperCase() === name.toUpperCase());
