import { atOnce, type SaslMechanism } from './mechanism.js';

/** EXTERNAL (RFC 4422 appendix A): the TLS client certificate says who it is; `authzid` for whom it acts, empty for itself. */
export const external = (authzid = ''): SaslMechanism => atOnce('EXTERNAL', true, () => Buffer.from(authzid, 'utf8'));
