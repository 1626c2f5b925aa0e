import { crypto, isEqual } from '../protocol/crypto.js';
import type { Secret } from '../protocol/secret.js';
import { refuseNul, saidAll, SaslError, type Exchange, type SaslMechanism } from './mechanism.js';

interface DigestOptions {
  /** The server's name, as the options have it. */
  readonly host: string;
  /** Fixed in tests only. */
  readonly nonce?: string;
}

// RFC 2831 section 2.1.1: longer challenges are not to be answered.
const CHALLENGE_LIMIT = 2048;
const COUNT = '00000001';

/** DIGEST-MD5 (RFC 2831), which RFC 6331 made historic: used only where it is allowed by name. */
export const digestMd5 = (user: string, pass: Secret, { host, nonce }: DigestOptions): SaslMechanism => {
  refuseNul(user, pass);
  const uri = `smtp/${host}`;
  let expected: string | undefined;

  const respond = (challenge: string): Uint8Array => {
    const told = checkChallenge(challenge);
    const ours = nonce ?? crypto().randomBytes(18).toString('base64');
    const secret = md5(Buffer.concat([encode(user, told.isUtf8), Buffer.from(':'), encode(told.realm ?? '', told.isUtf8), Buffer.from(':'), encode(pass.reveal(), told.isUtf8)]));
    const a1 = md5(Buffer.concat([secret, Buffer.from(`:${told.nonce}:${ours}`)])).toString('hex');
    const sum = (a2: string): string => md5([a1, told.nonce, COUNT, ours, 'auth', md5(a2).toString('hex')].join(':')).toString('hex');
    expected = `rspauth=${sum(`:${uri}`)}`;
    const directives = [
      ...(told.isUtf8 ? ['charset=utf-8'] : []), `username=${quote(user)}`, ...(told.realm === undefined ? [] : [`realm=${quote(told.realm)}`]),
      `nonce=${quote(told.nonce)}`, `nc=${COUNT}`, `cnonce=${quote(ours)}`, `digest-uri=${quote(uri)}`, `response=${sum(`AUTHENTICATE:${uri}`)}`, 'qop=auth',
    ];
    return Buffer.from(directives.join(','), told.isUtf8 ? 'utf8' : 'latin1');
  };

  const verify = (answer: string, proof: string): Uint8Array => {
    if (!isEqual(Buffer.from(answer), Buffer.from(proof))) throw new SaslError('its proof is wrong, so it does not know the password');
    exchange.done = true;
    return Buffer.alloc(0);
  };

  const exchange: Exchange = {
    name: 'DIGEST-MD5',
    clearTextSafe: true,
    maxRounds: 2,
    done: false,
    start: () => {
      expected = undefined;
      exchange.done = false;
      return undefined;
    },
    next: (challenge) => {
      if (exchange.done) return saidAll();
      if (challenge.length > CHALLENGE_LIMIT) throw new SaslError(`its challenge is longer than ${String(CHALLENGE_LIMIT)} bytes`);
      const text = Buffer.from(challenge).toString('utf8');
      return expected === undefined ? respond(text) : verify(text, expected);
    },
  };
  return exchange;
};

interface Challenge {
  readonly nonce: string;
  /** The first that is offered. */
  readonly realm: string | undefined;
  readonly isUtf8: boolean;
}

// RFC 2831 section 7.1: a token, or a quoted string with backslashes before what would end it.
const DIRECTIVE = /[ \t]*([a-z0-9-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;=]+))[ \t]*(?:,|$)|[ \t]*,/giys;

// RFC 2831 section 2.1.1: each of these may come once.
const ONCE = ['qop', 'stale', 'maxbuf', 'charset', 'cipher'];

const checkChallenge = (challenge: string): Challenge => {
  const directives: (readonly [name: string, value: string])[] = [];
  DIRECTIVE.lastIndex = 0;
  let end = 0;
  for (let match = DIRECTIVE.exec(challenge); match !== null && match[0] !== ''; match = DIRECTIVE.exec(challenge)) {
    const [, name, quoted, token] = match;
    end = DIRECTIVE.lastIndex;
    if (name !== undefined) directives.push([name.toLowerCase(), token ?? (quoted ?? '').replace(/\\(.)/gs, '$1')]);
  }
  if (end !== challenge.length) throw new SaslError('its challenge is no list of directives');
  const all = (name: string): readonly string[] => directives.filter(([given]) => given === name).map(([, value]) => value);
  const [nonce = ''] = all('nonce');
  const [charset] = all('charset');
  if (nonce === '' || all('nonce').length !== 1) throw new SaslError('its challenge must have one nonce');
  if (all('algorithm').length !== 1 || all('algorithm')[0]?.toLowerCase() !== 'md5-sess') throw new SaslError('it wants another algorithm than md5-sess');
  if (!(all('qop')[0] ?? 'auth').toLowerCase().split(/[ \t]*,[ \t]*/).includes('auth')) throw new SaslError('it wants to change what follows the sign-in, which TLS is for');
  if (ONCE.some((name) => all(name).length > 1)) throw new SaslError('its challenge says something twice');
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw new SaslError('it wants another charset than utf-8');
  return { nonce, realm: all('realm')[0], isUtf8: charset !== undefined };
};

const md5 = (input: string | Uint8Array): Buffer => crypto().createHash('md5').update(input).digest();

const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

// RFC 2831 section 2.1.2.1: whatever fits into ISO 8859-1 is hashed in it, also where it travels as UTF-8.
const encode = (text: string, isUtf8: boolean): Buffer => Buffer.from(text, isUtf8 && /[^\u0000-\u00ff]/.test(text) ? 'utf8' : 'latin1');
