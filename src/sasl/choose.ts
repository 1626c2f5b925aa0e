import type { Secret } from '../protocol/secret.js';
import { cramMd5 } from './cram-md5.js';
import { login } from './login.js';
import type { SaslMechanism } from './mechanism.js';
import { plain } from './plain.js';

/** What a client signs in with. */
export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly pass: Secret }
  | { readonly kind: 'mechanism'; readonly mechanism: SaslMechanism };

export interface Conditions {
  /** Names that the server offers. */
  readonly offered: readonly string[];
  /** Names that the options allow; all, where they say nothing. */
  readonly allowed?: readonly string[] | undefined;
  /** Nobody can read along, or the options accept that. */
  readonly confidential: boolean;
}

export interface Choice {
  /** Strongest first. */
  readonly usable: readonly (() => SaslMechanism)[];
  /** What the credentials and the options allow, offered or not. */
  readonly allowed: readonly string[];
  /** What was offered and allowed, and would give the credentials away here. */
  readonly withheld: readonly string[];
}

/** One way to use some credentials. */
interface Way {
  readonly name: string;
  readonly clearTextSafe: boolean;
  readonly create: () => SaslMechanism;
}

// Strongest first.
const PASSWORD_MECHANISMS = [
  { name: 'CRAM-MD5', clearTextSafe: true, mechanism: cramMd5 },
  { name: 'PLAIN', clearTextSafe: false, mechanism: plain },
  { name: 'LOGIN', clearTextSafe: false, mechanism: login },
] as const;

/** What a user and a password can be used with, strongest first. */
export const supportedMechanisms: readonly string[] = PASSWORD_MECHANISMS.map(({ name }) => name);

/** The mechanisms to try, and what stood against the others. */
export const candidates = (credentials: Credentials, { offered, allowed, confidential }: Conditions): Choice => {
  const possible = waysOf(credentials).filter(({ name }) => allowed === undefined || includes(allowed, name));
  const common = possible.filter(({ name }) => includes(offered, name));
  const isSafe = ({ clearTextSafe }: Way): boolean => confidential || clearTextSafe;
  return {
    usable: common.filter(isSafe).map(({ create }) => create),
    allowed: possible.map(({ name }) => name),
    withheld: common.filter((way) => !isSafe(way)).map(({ name }) => name),
  };
};

const waysOf = (credentials: Credentials): readonly Way[] => {
  switch (credentials.kind) {
    case 'password':
      return PASSWORD_MECHANISMS.map(({ name, clearTextSafe, mechanism }) => ({ name, clearTextSafe, create: () => mechanism(credentials.user, credentials.pass) }));
    case 'mechanism':
      return [{ name: credentials.mechanism.name, clearTextSafe: credentials.mechanism.clearTextSafe === true, create: () => credentials.mechanism }];
  }
};

const includes = (names: readonly string[], name: string): boolean => names.some((other) => other.toUpperCase() === name.toUpperCase());
