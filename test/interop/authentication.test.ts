import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SmtpClient, type SmtpOptions } from '../../src/index.js';
import { collect } from '../support/collect.js';

/** A file that describes servers which run on this machine; named by the environment variable RXSMTP_LAB. */
interface Lab {
  readonly pki: { readonly ca: string; readonly client: { readonly cert: string; readonly key: string } };
  readonly credentials: { readonly user: string; readonly pass: string; readonly oauth: { readonly tokenFile: string; readonly expiredTokenFile: string } };
  readonly endpoints: readonly {
    readonly server: string;
    readonly port: number;
    readonly tls: 'none' | 'starttls' | 'implicit';
    readonly note?: string;
    readonly ehlo?: readonly string[];
    readonly ehloAfterStarttls?: readonly string[];
  }[];
}

const path = process.env.RXSMTP_LAB;
const lab = path === undefined ? undefined : JSON.parse(readFileSync(path, 'utf8')) as Lab;
const SERVERS = ['postfix', 'exim', 'sendmail', 'dovecot', 'haraka', 'aiosmtpd'];
const PASSWORD = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'NTLM'];
const TOKEN = ['XOAUTH2', 'OAUTHBEARER'];

/** Every mechanism that each server offers, and how it is reached. Exim's own NTLM is of the first version only. */
const rows = (lab?.endpoints ?? [])
  .filter(({ server, note = '' }) => SERVERS.includes(server) && !note.includes('PROXY protocol v') && !note.includes('certificate required'))
  .flatMap(({ server, port, tls, ehlo = [], ehloAfterStarttls = ehlo }) => {
    const offered = ehloAfterStarttls.filter((line) => line.startsWith('AUTH ')).flatMap((line) => line.split(' ').slice(1));
    return [...PASSWORD, ...TOKEN].filter((name) => offered.includes(name) && !(server === 'exim' && name === 'NTLM')).map((name) => [name, server, port, tls] as const);
  });

describe.skipIf(lab === undefined)('with the servers that RXSMTP_LAB names', () => {
  it.each(rows)('%s at %s, port %i, with security %s', async (mechanism, _, port, security) => {
    const { pki, credentials: { user, pass, oauth } } = lab!;
    const secret = (right: boolean): NonNullable<SmtpOptions['auth']> =>
      TOKEN.includes(mechanism) ? { user, token: readFileSync(right ? oauth.tokenFile : oauth.expiredTokenFile, 'utf8').trim() } : { user, pass: right ? pass : 'wrong word' };
    const verify = async (auth: NonNullable<SmtpOptions['auth']>) => {
      await using client = new SmtpClient({ host: 'localhost', port, security, tls: { ca: readFileSync(pki.ca) }, allowedAuthentication: [mechanism], auth });
      return await collect(client.verify());
    };
    const right = await verify(secret(true));
    expect(right.error).toBeUndefined();
    expect(right.events).toContainEqual({ type: 'authenticated', mechanism, user });
    expect((await verify(secret(false))).error).toMatchObject({ code: 'E_AUTH', outcome: 'refused', retryable: false, tried: [mechanism] });
  });
});
