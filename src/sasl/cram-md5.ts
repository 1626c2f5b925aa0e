import { crypto } from '../protocol/crypto.js';
import type { Secret } from '../protocol/secret.js';
import { refuseNul, SaslError, type Exchange, type SaslMechanism } from './mechanism.js';

const CHALLENGE_LIMIT = 1024;

/** CRAM-MD5 (RFC 2195): proves the password without sending it. */
export const cramMd5 = (user: string, pass: Secret): SaslMechanism => {
  refuseNul(user, pass);
  const exchange: Exchange = {
    name: 'CRAM-MD5',
    clearTextSafe: true,
    done: false,
    start: () => {
      exchange.done = false;
      return undefined;
    },
    next: (challenge) => {
      if (exchange.done) throw new SaslError('it sent a second challenge');
      // A constant challenge would make the answer one that can be looked up.
      if (challenge.length === 0 || challenge.length > CHALLENGE_LIMIT) throw new SaslError(`its challenge is empty or longer than ${String(CHALLENGE_LIMIT)} bytes`);
      exchange.done = true;
      return Buffer.from(`${user} ${crypto().createHmac('md5', pass.reveal()).update(challenge).digest('hex')}`, 'utf8');
    },
  };
  return exchange;
};
