import { crypto, isEqual } from '../protocol/crypto.js';
import type { Secret } from '../protocol/secret.js';
import type { ChannelBinding } from './channel-binding.js';
import { decodeBase64, saidAll, SaslError, saslName, type Exchange, type SaslMechanism } from './mechanism.js';
import { saslPrep } from './saslprep.js';

export type ScramHash = 'SHA-1' | 'SHA-256' | 'SHA-512';

/**
 * A binding: the -PLUS form, tied to the TLS connection. `could-bind`: the server seems to have no -PLUS and is told that we could,
 * so that an offer that was hidden or refused on the way is found out (RFC 5802 section 6). `none`: there is nothing to bind to, or the options say so.
 */
export type ScramChannel = ChannelBinding | 'could-bind' | 'none';

export interface ScramOptions {
  readonly hash: ScramHash;
  readonly channel: ScramChannel;
  /** Fixed in tests only. */
  readonly nonce?: string;
}

// RFC 7677 section 4 sets the lower bound; a million takes a third of a second, and more would be an attack.
const FEWEST_ITERATIONS = 4_096;
const MOST_ITERATIONS = 1_000_000;

// RFC 5802 section 7, server-first-message: fixed order, then extensions that are none of the known attributes. An "m="
// in front, which must not be ignored, does not match.
const SERVER_FIRST = /^r=(?<nonce>[\x21-\x2b\x2d-\x7e]+),s=(?<salt>[A-Za-z0-9+/=]+),i=(?<iterations>[1-9][0-9]{0,15})(?:,(?![aceimnprsv]=)[A-Za-z]=[^\0,]+)*$/;
const SERVER_FINAL = /^v=(?<signature>[A-Za-z0-9+/=]+)(?:,[A-Za-z]=[^\0,]+)*$/;
// Instead of a server-final-message. Some say it at once.
const SERVER_ERROR = /^e=(?<error>[^\0,]+)(?:,[A-Za-z]=[^\0,]+)*$/;

/** SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and neither sends it. */
export const scram = (user: string, pass: Secret, { hash, channel, nonce }: ScramOptions): SaslMechanism => {
  const name = saslName(saslPrep(user, 'auth.user'));
  const password = saslPrep(pass.reveal(), 'auth.pass');
  const digest = hash.replace('-', '').toLowerCase();
  const hmac = (key: Uint8Array, text: string): Buffer => crypto().createHmac(digest, key).update(text).digest();
  const header = channel === 'none' ? 'n,,' : channel === 'could-bind' ? 'y,,' : `p=${channel.type},,`;
  const channelInput = Buffer.concat([Buffer.from(header), typeof channel === 'string' ? Buffer.alloc(0) : channel.data]).toString('base64');
  let ours = '';
  let expectedSignature: Buffer | undefined;

  const prove = async (serverFirst: string): Promise<Uint8Array> => {
    const { nonce: full, salt, iterations } = checkServerFirst(serverFirst, ours);
    const salted = await derive(password, salt, iterations, crypto().createHash(digest).digest().length, digest);
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${channelInput},r=${full}`;
    const conversation = `n=${name},r=${ours},${serverFirst},${withoutProof}`;
    const mask = hmac(crypto().createHash(digest).update(clientKey).digest(), conversation);
    expectedSignature = hmac(hmac(salted, 'Server Key'), conversation);
    return Buffer.from(`${withoutProof},p=${Buffer.from(clientKey.map((byte, index) => byte ^ (mask[index] ?? 0))).toString('base64')}`);
  };

  const verify = (serverFinal: string, expected: Buffer): Uint8Array => {
    const { signature } = SERVER_FINAL.exec(serverFinal)?.groups ?? {};
    if (!isEqual(decodeBase64(signature ?? ''), expected)) throw new SaslError('its signature is wrong, so it does not know the password');
    exchange.done = true;
    return Buffer.alloc(0);
  };

  const exchange: Exchange = {
    name: `SCRAM-${hash}${typeof channel === 'string' ? '' : '-PLUS'}`,
    clearTextSafe: true,
    maxRounds: 2,
    done: false,
    refusal: undefined,
    start: () => {
      ours = nonce ?? crypto().randomBytes(18).toString('base64');
      expectedSignature = undefined;
      exchange.done = false;
      exchange.refusal = undefined;
      return Buffer.from(`${header}n=${name},r=${ours}`);
    },
    next: (challenge) => {
      if (exchange.done) return saidAll();
      if (exchange.refusal !== undefined) throw new SaslError('it went on after it had refused the sign-in');
      const text = Buffer.from(challenge).toString('utf8');
      const { error } = SERVER_ERROR.exec(text)?.groups ?? {};
      if (error !== undefined) {
        // The server's own refusal follows; a 235 behind this does not count, because nothing was verified.
        exchange.refusal = { error };
        return Buffer.alloc(0);
      }
      return expectedSignature === undefined ? prove(text) : verify(text, expectedSignature);
    },
  };
  return exchange;
};

const derive = (password: string, salt: Uint8Array, iterations: number, length: number, digest: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    crypto().pbkdf2(password, salt, iterations, length, digest, (error, key) => { if (error) reject(error); else resolve(key); });
  });

/** Everything that the server could cheat with is looked at before any work is done. */
const checkServerFirst = (message: string, ours: string): { readonly nonce: string; readonly salt: Uint8Array; readonly iterations: number } => {
  const { nonce, salt, iterations } = SERVER_FIRST.exec(message)?.groups ?? {};
  if (nonce === undefined || salt === undefined || iterations === undefined) throw new SaslError('its challenge is no server-first-message of SCRAM');
  if (!nonce.startsWith(ours) || nonce.length === ours.length) throw new SaslError('its nonce does not begin with ours and add to it');
  const count = Number(iterations);
  if (count < FEWEST_ITERATIONS || count > MOST_ITERATIONS)
    throw new SaslError(`it wants ${iterations} iterations, and from ${String(FEWEST_ITERATIONS)} to ${String(MOST_ITERATIONS)} are safe`);
  return { nonce, salt: decodeBase64(salt), iterations: count };
};
