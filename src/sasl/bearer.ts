import type { Secret } from '../protocol/secret.js';
import { SaslError, saslName, type Exchange, type SaslMechanism } from './mechanism.js';

/** The server that a sign-in is for, as the options name it. */
export interface Service {
  readonly host: string;
  readonly port: number;
}

/** OAUTHBEARER (RFC 7628): OAuth as a standard. The token is bound to the server that it is sent to. */
export const oauthBearer = (user: string, token: Secret, { host, port }: Service): SaslMechanism =>
  bearer('OAUTHBEARER', [`n,a=${saslName(user)},`, `host=${host}`, `port=${String(port)}`], token, SEPARATOR);

/** XOAUTH2, which is no RFC: the form of OAuth that Google and Microsoft document for SMTP. */
export const xoauth2 = (user: string, token: Secret): SaslMechanism => bearer('XOAUTH2', [`user=${user}`], token, '');

// RFC 7628 section 3.1, kvsep.
const SEPARATOR = '\x01';

/**
 * What the two share: the token is sent at once, and a challenge means no and tells why.
 * @param fields what goes in front of the token: who, and for which server.
 * @param acknowledgement what answers a refusal, so that the server may say it in its reply, too.
 */
const bearer = (name: string, fields: readonly string[], token: Secret, acknowledgement: string): SaslMechanism => {
  const exchange: Exchange = {
    name,
    maxRounds: 1,
    takesAnyChallenge: true,
    done: false,
    refusal: undefined,
    start: () => {
      exchange.done = true;
      exchange.refusal = undefined;
      return Buffer.from([...fields, `auth=Bearer ${token.reveal()}`, '', ''].join(SEPARATOR), 'utf8');
    },
    next: (challenge) => {
      if (!exchange.done) throw new SaslError('it went on after it had refused the token');
      exchange.done = false;
      exchange.refusal = parseRefusal(Buffer.from(challenge).toString('utf8'));
      return Buffer.from(acknowledgement);
    },
  };
  return exchange;
};

const PLAIN_NAME = /^[a-z][a-z0-9_.:-]*$/i;

/** RFC 7628 section 3.2.2: names and words of a peer that nobody has to trust. Whatever it is wrapped in, a refusal counts. */
const parseRefusal = (json: string): Readonly<Record<string, string>> => {
  try {
    const told = Object.entries(JSON.parse(json) as object).filter(([name, value]) => PLAIN_NAME.test(name) && (typeof value === 'string' || typeof value === 'number'));
    return Object.fromEntries(told.map(([name, value]) => [name, String(value)]));
  } catch {
    return {};
  }
};
