import { createHmac } from 'node:crypto';

export const DOMAIN = 'interop.test';

/** Who may sign in. */
export const ANN = { user: 'ann', pass: 'a s3cret, "quoted"' };

/** Who receives mail, each in a mailbox of their own; nobody else does. */
export const USERS: readonly string[] = ['ann', 'bob', ...Array.from({ length: 50 }, (_, index) => `user-${index}`)];

/** Every server refuses this one, and takes all others. */
export const REFUSED_SENDER = `refused@${DOMAIN}`;

export const TOKEN_KEY = 'the key that signs tokens';
export const TOKEN_ISSUER = 'https://interop.test';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signed token (RFC 7519) for Ann, until so many seconds from now. */
export const token = (seconds: number): string => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: ANN.user, username: ANN.user, iss: TOKEN_ISSUER, iat: now - 7200, nbf: now - 7200, exp: now + seconds };
  const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: 'default' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', TOKEN_KEY).update(signed).digest('base64url')}`;
};
