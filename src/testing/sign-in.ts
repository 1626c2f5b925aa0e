import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { ownValue } from '../protocol/bare.js';

/** Sends a challenge and resolves with the client's response; undefined if the client gave up or has gone. */
export type Ask = (challenge: string) => Promise<string | undefined>;

/** Runs the exchange, from the client's initial response if there is one. Resolves with the user that has signed in, or undefined. */
export type SignIn = (ask: Ask, initial: string | undefined) => Promise<string | undefined>;

/** The user, if the client knows the password. */
type Verify = (ask: Ask, initial: string | undefined, users: Readonly<Record<string, string>>) => Promise<string | undefined>;

const PLAIN: Verify = async (ask, initial, users) => {
  const [, user = '', pass = ''] = (initial ?? await ask('') ?? '').split('\0');
  return knows(users, user, (password) => password === pass);
};

const LOGIN: Verify = async (ask, initial, users) => {
  const user = initial ?? await ask('Username:') ?? '';
  const pass = await ask('Password:') ?? '';
  return knows(users, user, (password) => password === pass);
};

const CRAM_MD5: Verify = async (ask, _, users) => {
  const challenge = `<${randomBytes(8).toString('hex')}@test.example>`;
  const [, user = '', digest = ''] = /^(.*) ([0-9a-f]{32})$/s.exec(await ask(challenge) ?? '') ?? [];
  return knows(users, user, (password) => createHmac('md5', password).update(challenge).digest('hex') === digest);
};

const SCRAM_SHA_256: Verify = async (ask, initial, users) => {
  const [, header = '', bare = '', name = '', nonce = ''] = /^([ny],,)(n=([^,]*),r=([!-+\x2d-~]+))$/.exec(initial ?? await ask('') ?? '') ?? [];
  const user = name.replaceAll('=2C', ',').replaceAll('=3D', '=');
  const salt = randomBytes(16);
  const first = `r=${nonce}${randomBytes(9).toString('base64')},s=${salt.toString('base64')},i=4096`;
  const [, unproven = '', proof = ''] = /^(c=.*),p=(.*)$/.exec(await ask(first) ?? '') ?? [];
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const salted = pbkdf2Sync(ownValue(users, user) ?? randomBytes(16), salt, 4096, 32, 'sha256');
  const key = hmac(salted, 'Client Key');
  const conversation = `${bare},${first},${unproven}`;
  const mask = hmac(createHash('sha256').update(key).digest(), conversation);
  const isRight = Buffer.from(key.map((byte, index) => byte ^ (mask[index] ?? 0))).equals(Buffer.from(proof, 'base64')) && unproven.startsWith(`c=${Buffer.from(header).toString('base64')},`);
  return isRight && await ask(`v=${hmac(hmac(salted, 'Server Key'), conversation).toString('base64')}`) === '' ? user : undefined;
};

/** For these the password is the token; a wrong one is refused as RFC 7628 section 3.2.2 wants it. */
const bearer = (form: RegExp): Verify => async (ask, initial, users) => {
  const [, user = '', given] = form.exec(initial ?? await ask('') ?? '') ?? [];
  const known = knows(users, user, (token) => token === given);
  if (known === undefined) await ask('{"status":"invalid_token","scope":"mail"}');
  return known;
};

const XOAUTH2 = bearer(/^user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01$/);
const OAUTHBEARER = bearer(/^n,a=([^,]*),\x01host=[^\x01]*\x01port=\d+\x01auth=Bearer ([^\x01]*)\x01\x01$/);

const knows = (users: Readonly<Record<string, string>>, user: string, isRight: (password: string) => boolean): string | undefined => {
  const password = ownValue(users, user);
  return password !== undefined && isRight(password) ? user : undefined;
};

/** The mechanisms that the server understands. */
export const MECHANISMS: ReadonlyMap<string, Verify> = new Map([
  ['PLAIN', PLAIN], ['LOGIN', LOGIN], ['CRAM-MD5', CRAM_MD5], ['SCRAM-SHA-256', SCRAM_SHA_256], ['XOAUTH2', XOAUTH2], ['OAUTHBEARER', OAUTHBEARER],
]);

export const DEFAULT_MECHANISMS: readonly string[] = ['PLAIN', 'LOGIN', 'CRAM-MD5'];
