import { isPromise, isUint8Array } from 'node:util/types';
import { SmtpUsageError } from '../protocol/error.js';
import type { Secret } from '../protocol/secret.js';

/**
 * One exchange of RFC 4422, from the client's side. Bytes in and out: the caller takes care of base64, line limits and giving up.
 * An object given as the option `auth` serves one connection at a time.
 *
 * ```ts
 * const mechanism: SaslMechanism = { name: 'X-TICKET', done: true, start: () => ticket, next: () => { throw new SaslError('it asked again'); } };
 * ```
 */
export interface SaslMechanism {
  /** As AUTH spells it. */
  readonly name: string;
  /** Begins a new exchange and returns the initial response. Undefined: the server speaks first, which differs from an empty response. */
  start(): Uint8Array | undefined;
  /** Answers a challenge, or throws `SaslError` if the server broke the exchange. */
  next(challenge: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Everything was sent and everything due was verified: before that, a 235 does not count. */
  readonly done: boolean;
  /** The most challenges that the mechanism can have. Default 10. */
  readonly maxRounds?: number;
  /** Passes on a challenge that is not base64 as it is: some servers do not encode theirs. Default false. */
  readonly takesAnyChallenge?: boolean;
  /** True if it reveals nothing to an eavesdropper. Otherwise it is used only where nobody can eavesdrop. */
  readonly clearTextSafe?: boolean;
  /** What the server said of its refusal within the exchange: untrusted data, of which no URL is fetched. */
  readonly refusal?: Readonly<Record<string, string>> | undefined;
}

/** Thrown instead of an answer to a challenge. The message says why, as a clause: "its nonce is not ours". */
export class SaslError extends Error {
  override readonly name = 'SaslError';
}

const CHALLENGE_LIMIT = 8 * 1024;

/** RFC 4648 section 4 without any leniency: what encodes to other text was never encoded by a server. */
export const decodeBase64 = (text: string): Uint8Array => {
  if (Buffer.byteLength(text, 'base64') > CHALLENGE_LIMIT) throw new SaslError(`its challenge is longer than ${String(CHALLENGE_LIMIT)} bytes`);
  if (!isBase64(text)) throw new SaslError('its challenge is no base64');
  return Buffer.from(text, 'base64');
};

const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;

/** What a server says behind 334. Blanks at its end are nobody's. */
export const decodeChallenge = (words: string, { takesAnyChallenge = false }: SaslMechanism): Uint8Array => {
  const text = words.trimEnd();
  return takesAnyChallenge && !isBase64(text) ? Buffer.from(text, 'utf8') : decodeBase64(text);
};

/** What it begins with. A mechanism of the caller's may be no such thing, whatever its type says. */
export const startOf = (mechanism: SaslMechanism): Uint8Array | undefined => {
  const initial: unknown = mechanism.start();
  if (initial === undefined || isUint8Array(initial)) return initial;
  if (isPromise(initial)) initial.catch(() => undefined);
  throw new SaslError('its start() gave neither bytes nor nothing; only next() may give a promise');
};

/** RFC 4616 section 2: NUL separates the parts, so it can be in none. */
export const refuseNul = (user: string, pass: Secret): void => {
  const what = user.includes('\0') ? 'auth.user' : pass.reveal().includes('\0') ? 'auth.pass' : undefined;
  if (what !== undefined) throw new SmtpUsageError({ phase: 'auth', message: `${what} holds a NUL character, which no mechanism can carry. Remove it.` });
};

/** A name within a list that commas separate (RFC 5801 section 4, saslname). */
export const saslName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');

/** A mechanism of our own. Its state is in plain properties: a getter would make each exchange a shape of its own, which costs more than the rest of it. */
export type Exchange = SaslMechanism & { done: boolean; refusal?: SaslMechanism['refusal'] };

/** A mechanism that says everything in its initial response. */
export const atOnce = (name: string, clearTextSafe: boolean, response: () => Uint8Array): SaslMechanism => {
  const exchange: Exchange = {
    name, clearTextSafe,
    done: false,
    start: () => {
      exchange.done = true;
      return response();
    },
    next: saidAll,
  };
  return exchange;
};

/** For a mechanism that has said everything. */
export const saidAll = (): never => {
  throw new SaslError('it asked again after everything was said');
};
