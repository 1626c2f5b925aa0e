import type { Secret } from '../protocol/secret.js';
import { refuseNul, SaslError, type SaslMechanism } from './mechanism.js';

/** LOGIN (draft-murchison-sasl-login-00): two prompts, told apart by their order, since servers word them as they like. */
export const login = (user: string, pass: Secret): SaslMechanism => {
  refuseNul(user, pass);
  let prompts = 0;
  return {
    name: 'LOGIN',
    get done() { return prompts === 2; },
    start: () => {
      prompts = 0;
      return undefined;
    },
    next: () => {
      if (prompts === 2) throw new SaslError('it asked for more than a user and a password');
      prompts += 1;
      return Buffer.from(prompts === 1 ? user : pass.reveal(), 'utf8');
    },
  };
};
