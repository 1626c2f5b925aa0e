import type { Secret } from '../protocol/secret.js';
import { SaslError, type Exchange, type SaslMechanism } from './mechanism.js';

interface BearerOptions {
  readonly name: string;
  /** What goes in front of the token: who, and for which server. */
  readonly fields: readonly string[];
  /** What answers a refusal, so that the server may say it in its reply, too. */
  readonly acknowledgement: string;
}

// RFC 7628 section 3.1, kvsep.
const SEPARATOR = '\x01';

/** What XOAUTH2 and OAUTHBEARER share: the token is sent at once, and a challenge means no and tells why. */
export const bearer = (token: Secret, { name, fields, acknowledgement }: BearerOptions): SaslMechanism => {
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
