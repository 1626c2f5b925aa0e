import type { Secret } from '../protocol/secret.js';
import { bearer } from './bearer.js';
import type { SaslMechanism } from './mechanism.js';
import { saslName } from './sasl-name.js';

/** The server that a sign-in is for, as the options name it. */
export interface Service {
  readonly host: string;
  readonly port: number;
}

/** OAUTHBEARER (RFC 7628): OAuth as a standard. The token is bound to the server that it is sent to. */
export const oauthBearer = (user: string, token: Secret, { host, port }: Service): SaslMechanism =>
  bearer(token, { name: 'OAUTHBEARER', fields: [`n,a=${saslName(user)},`, `host=${host}`, `port=${String(port)}`], acknowledgement: '\x01' });
