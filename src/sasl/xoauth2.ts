import type { Secret } from '../protocol/secret.js';
import { bearer } from './bearer.js';
import type { SaslMechanism } from './mechanism.js';

/** XOAUTH2, which is no RFC: the form of OAuth that Google and Microsoft document for SMTP. */
export const xoauth2 = (user: string, token: Secret): SaslMechanism => bearer(token, { name: 'XOAUTH2', fields: [`user=${user}`], acknowledgement: '' });
