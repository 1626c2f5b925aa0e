import { createHmac, randomBytes } from 'node:crypto';

/** Asks the client, given a challenge; undefined when it gave up or has gone. */
export type Ask = (challenge: string) => Promise<string | undefined>;

/** The user, if the client knows the password. */
type Verify = (users: Readonly<Record<string, string>>, initial: string | undefined, ask: Ask) => Promise<string | undefined>;

const PLAIN: Verify = async (users, initial, ask) => {
  const [, user = '', pass = ''] = (initial ?? await ask('') ?? '').split('\0');
  return knows(users, user, (password) => password === pass);
};

const LOGIN: Verify = async (users, initial, ask) => {
  const user = initial ?? await ask('Username:') ?? '';
  const pass = await ask('Password:') ?? '';
  return knows(users, user, (password) => password === pass);
};

const CRAM_MD5: Verify = async (users, _, ask) => {
  const challenge = `<${randomBytes(8).toString('hex')}@test.example>`;
  const [, user = '', digest = ''] = /^(.*) ([0-9a-f]{32})$/s.exec(await ask(challenge) ?? '') ?? [];
  return knows(users, user, (password) => createHmac('md5', password).update(challenge).digest('hex') === digest);
};

const knows = (users: Readonly<Record<string, string>>, user: string, isRight: (password: string) => boolean): string | undefined => {
  const password = Object.hasOwn(users, user) ? users[user] : undefined;
  return password !== undefined && isRight(password) ? user : undefined;
};

/** The mechanisms that the server understands. */
export const MECHANISMS: ReadonlyMap<string, Verify> = new Map([['PLAIN', PLAIN], ['LOGIN', LOGIN], ['CRAM-MD5', CRAM_MD5]]);
