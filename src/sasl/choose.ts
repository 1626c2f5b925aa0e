import { hasMd5 } from '../protocol/crypto.js';
import type { Secret } from '../protocol/secret.js';
import { oauthBearer, xoauth2, type Service } from './bearer.js';
import type { ChannelBinding } from './channel-binding.js';
import { cramMd5 } from './cram-md5.js';
import { digestMd5 } from './digest-md5.js';
import { external } from './external.js';
import { login } from './login.js';
import type { SaslMechanism } from './mechanism.js';
import { ntlm } from './ntlm.js';
import { plain } from './plain.js';
import type { Preparation } from './saslprep.js';
import { scram, type ScramChannel, type ScramHash } from './scram.js';

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
  /** What SASLprep does to the user and the password. Default: it keeps them. */
  readonly preparation?: Preparation;
}

export interface Choice {
  /** Strongest first. */
  readonly usable: readonly Way[];
  /** What the credentials and the options allow, offered or not. */
  readonly allowed: readonly string[];
  /** What was offered and allowed, and would give the credentials away here. */
  readonly withheld: readonly string[];
  /** What was offered and would do, but is only used where the options name it. */
  readonly unnamed: readonly string[];
  /** What was offered and allowed, and needs MD5, which this runtime does not have. */
  readonly unable: readonly string[];
}

/** One way to use some credentials. */
interface Way {
  readonly name: string;
  /** A fresh exchange with the password or token; other credentials have none. */
  readonly begin: (secret: Secret) => SaslMechanism;
}

/** The mechanisms to try, and what stood against the others. */
export const candidates = (credentials: Credentials, conditions: Conditions): Choice => {
  const { allowed, confidential } = conditions;
  const user = userOf(credentials);
  const isAllowed = allowed === undefined ? ({ onRequest }: Kind): boolean => onRequest !== true : isIn(allowed);
  const kinds = kindsFor(credentials, conditions.binding);
  const possible = kinds.filter(isAllowed);
  const isOffered = isIn(conditions.offered);
  const shared = possible.filter(isOffered);
  const able = shared.filter(isAble);
  const common = suited(able, conditions);
  const isSafe = ({ clearTextSafe }: Kind): boolean => confidential || clearTextSafe;
  return {
    usable: common.filter(isSafe).map(({ name, begin }) => ({ name, begin: (secret) => begin(user, secret, conditions) })),
    allowed: possible.map(({ name }) => name),
    withheld: common.filter((kind) => !isSafe(kind)).map(({ name }) => name),
    unnamed: kinds.filter((kind) => isOffered(kind) && isSafe(kind) && !isAllowed(kind) && isAble(kind)).map(({ name }) => name),
    unable: shared.filter((kind) => !able.includes(kind)).map(({ name }) => name),
  };
};

const isAble = ({ needsMd5 }: Kind): boolean => needsMd5 !== true || hasMd5();

/** The names of all that could be used with them, on some connection. */
export const mechanismsFor = (credentials: Credentials): readonly string[] => kindsFor(credentials, ANY_BINDING).map(({ name }) => name);

/** For who asks what could be used over TLS, and uses nothing. */
export const ANY_BINDING: ChannelBinding = { type: 'tls-exporter', data: new Uint8Array() };

/**
 * SASLprep is not done by every server, and cannot be done to every password. What sends the password as it is goes first where
 * that is safe and it would be changed; what cannot carry it is left out, unless there is nothing else: then it tells why.
 */
const suited = (kinds: readonly Kind[], { preparation, confidential }: Conditions): readonly Kind[] => {
  if (preparation === 'changes' && confidential) return [...kinds.filter(({ clearTextSafe }) => !clearTextSafe), ...kinds.filter(({ clearTextSafe }) => clearTextSafe)];
  const able = preparation === 'refuses' ? kinds.filter(({ prepares }) => prepares !== true) : kinds;
  return able.length === 0 ? kinds : able;
};

/** A mechanism, before it is known for whom. */
interface Kind {
  readonly name: string;
  readonly clearTextSafe: boolean;
  /** It uses SASLprep. */
  readonly prepares?: true;
  readonly needsMd5?: true;
  /** Only where the options name it. */
  readonly onRequest?: true;
  readonly begin: (user: string, secret: Secret, conditions: Conditions) => SaslMechanism;
}

const isIn = (names: readonly string[]): (kind: Kind) => boolean => {
  const known = names.map((name) => name.toUpperCase());
  return ({ name }) => known.includes(name.toUpperCase());
};

const kindsFor = (credentials: Credentials, binding: ChannelBinding | undefined): readonly Kind[] => {
  switch (credentials.kind) {
    // What is tied to the connection goes first whatever its hash: a man in the middle is nearer than a broken SHA-1.
    case 'password': return binding === undefined ? PASSWORD : [...BOUND, ...PASSWORD];
    case 'token': return TOKEN;
    case 'external': return EXTERNAL;
    case 'mechanism': {
      const { mechanism } = credentials;
      return [{ name: mechanism.name, clearTextSafe: mechanism.clearTextSafe === true, begin: () => mechanism }];
    }
  }
};

const HASHES: readonly ScramHash[] = ['SHA-512', 'SHA-256', 'SHA-1'];

// Not what the server offers decides: who is in between may have renamed a -PLUS form, or refused it.
const unbound = ({ allowed, binding }: Conditions): ScramChannel =>
  binding !== undefined && (allowed === undefined || BOUND.some(isIn(allowed))) ? 'could-bind' : 'none';

// Strongest first.
const BOUND = HASHES.map((hash): Kind => ({
  name: `SCRAM-${hash}-PLUS`, clearTextSafe: true, prepares: true, begin: (user, pass, { binding }) => scram(user, pass, { hash, channel: binding ?? 'none' }),
}));

const PASSWORD: readonly Kind[] = [
  ...HASHES.map((hash): Kind => ({
    name: `SCRAM-${hash}`, clearTextSafe: true, prepares: true, begin: (user, pass, conditions) => scram(user, pass, { hash, channel: unbound(conditions) }),
  })),
  { name: 'DIGEST-MD5', clearTextSafe: true, needsMd5: true, onRequest: true, begin: (user, pass, { service }) => digestMd5(user, pass, service) },
  { name: 'CRAM-MD5', clearTextSafe: true, needsMd5: true, begin: cramMd5 },
  { name: 'NTLM', clearTextSafe: true, needsMd5: true, onRequest: true, begin: (user, pass) => ntlm(user, pass) },
  { name: 'PLAIN', clearTextSafe: false, begin: plain },
  { name: 'LOGIN', clearTextSafe: false, begin: login },
];

const TOKEN: readonly Kind[] = [
  { name: 'OAUTHBEARER', clearTextSafe: false, begin: (user, token, { service }) => oauthBearer(user, token, service) },
  { name: 'XOAUTH2', clearTextSafe: false, begin: xoauth2 },
];

const EXTERNAL: readonly Kind[] = [{ name: 'EXTERNAL', clearTextSafe: true, begin: external }];
