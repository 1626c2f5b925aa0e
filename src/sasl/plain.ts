import type { Secret } from '../protocol/secret.js';
import { atOnce, refuseNul, type SaslMechanism } from './mechanism.js';

/** PLAIN (RFC 4616): everything at once, as the initial response. */
export const plain = (user: string, pass: Secret): SaslMechanism => {
  refuseNul(user, pass);
  return atOnce('PLAIN', false, () => Buffer.from(`\0${user}\0${pass.reveal()}`, 'utf8'));
};
