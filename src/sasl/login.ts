import type { Secret } from '../protocol/secret.js';
import { refuseNul, SaslError, type Exchange, type SaslMechanism } from './mechanism.js';

/** LOGIN (draft-murchison-sasl-login-00): two prompts, told apart by their order, since servers word them as they like. */
export const login = (user: string, pass: Secret): SaslMechanism => {
  refuseNul(user, pass);
  let prompts = 0;
  const exchange: Exchange = {
    name: 'LOGIN',
    takesAnyChallenge: true,
    done: false,
    start: () => {
      prompts = 0;
      exchange.done = false;
      return undefined;
    },
    next: () => {
      if (exchange.done) throw new SaslError('it asked for more than a user and a password');
      prompts += 1;
      exchange.done = prompts === 2;
      return Buffer.from(prompts === 1 ? user : pass.reveal(), 'utf8');
    },
  };
  return exchange;
};
