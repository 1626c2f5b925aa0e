import type { Secret } from '../protocol/secret.js';
import { refuseNul, saidAll, type SaslMechanism } from './mechanism.js';

/** PLAIN (RFC 4616): everything at once, as the initial response. */
export const plain = (user: string, pass: Secret): SaslMechanism => {
  refuseNul(user, pass);
  let done = false;
  return {
    name: 'PLAIN',
    get done() { return done; },
    start: () => {
      done = true;
      return Buffer.from(`\0${user}\0${pass.reveal()}`, 'utf8');
    },
    next: saidAll,
  };
};
