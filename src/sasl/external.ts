import { saidAll, type SaslMechanism } from './mechanism.js';

/** EXTERNAL (RFC 4422 appendix A): the TLS client certificate says who it is; `authzid` for whom it acts, empty for itself. */
export const external = (authzid = ''): SaslMechanism => {
  let done = false;
  return {
    name: 'EXTERNAL',
    clearTextSafe: true,
    get done() { return done; },
    start: () => {
      done = true;
      return Buffer.from(authzid, 'utf8');
    },
    next: saidAll,
  };
};
