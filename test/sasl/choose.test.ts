import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/protocol/secret.js';
import { candidates, mechanismsFor, userOf, type Conditions, type Credentials } from '../../src/sasl/choose.js';
import type { SaslMechanism } from '../../src/sasl/mechanism.js';
import { withoutMd5 } from '../support/without-md5.js';

const SERVICE = { host: 'mail.example', port: 587 };
const TLS: Partial<Conditions> = { confidential: true, binding: { type: 'tls-exporter', data: new Uint8Array(32) } };
const CLEAR: Partial<Conditions> = { confidential: false };
const LOOPBACK: Partial<Conditions> = { confidential: true };

const password: Credentials = { kind: 'password', user: 'tim' };
const token: Credentials = { kind: 'token', user: 'tim' };
const external: Credentials = { kind: 'external', authzid: 'tim' };
const own = (more: Partial<SaslMechanism> = {}): SaslMechanism => ({ name: 'X-Own', done: true, start: () => undefined, next: () => new Uint8Array(), ...more });
const mechanism = (more?: Partial<SaslMechanism>): Credentials => ({ kind: 'mechanism', mechanism: own(more) });

const candidatesOf = (credentials: Credentials, offered: string, more: Partial<Conditions>) =>
  candidates(credentials, { offered: offered.split(' ').filter((name) => name !== ''), confidential: true, service: SERVICE, ...more });

const POSTFIX = 'PLAIN LOGIN NTLM CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 GSSAPI';
const EXCHANGE = 'GSSAPI NTLM LOGIN XOAUTH2';

describe('candidates', () => {
  it.each<[string, Credentials, string, Partial<Conditions>, string, string]>([
    // what, credentials, offered, the connection, usable, withheld
    ['the strongest first', password, POSTFIX, TLS, 'SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN', ''],
    ['no password over clear text', password, POSTFIX, CLEAR, 'SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5', 'PLAIN LOGIN'],
    ['nobody reads along on loopback', password, 'PLAIN LOGIN', LOOPBACK, 'PLAIN LOGIN', ''],
    ['bound to the connection before all others', password, 'SCRAM-SHA-1-PLUS SCRAM-SHA-1 SCRAM-SHA-512 PLAIN', TLS, 'SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-1 PLAIN', ''],
    ['bound by the strongest hash', password, 'SCRAM-SHA-256-PLUS SCRAM-SHA-512-PLUS SCRAM-SHA-512', TLS, 'SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512', ''],
    ['nothing to bind to', password, 'SCRAM-SHA-256-PLUS SCRAM-SHA-256', LOOPBACK, 'SCRAM-SHA-256', ''],
    ['what is offered only', password, 'plain', TLS, 'PLAIN', ''],
    ['what is allowed only', password, POSTFIX, { ...TLS, allowed: ['login', 'XOAUTH2'] }, 'LOGIN', ''],
    ['the order is ours, not that of the list', password, POSTFIX, { ...TLS, allowed: ['PLAIN', 'SCRAM-SHA-1'] }, 'SCRAM-SHA-1 PLAIN', ''],
    ['old ones where they are named', password, POSTFIX, { ...TLS, allowed: ['NTLM', 'DIGEST-MD5', 'PLAIN'] }, 'DIGEST-MD5 NTLM PLAIN', ''],
    ['old ones only where they are named', password, 'NTLM DIGEST-MD5', TLS, '', ''],
    ['nothing in common', password, 'GSSAPI', { ...TLS, allowed: ['PLAIN'] }, '', ''],
    ['what was not allowed is not withheld', password, 'PLAIN LOGIN', { ...CLEAR, allowed: ['PLAIN'] }, '', 'PLAIN'],
    ['nothing allowed', password, 'PLAIN', { ...TLS, allowed: [] }, '', ''],
    ['nothing offered', password, '', TLS, '', ''],
    ['what sends a password as it is first, where SASLprep would change it', password, POSTFIX, { ...TLS, preparation: 'changes' }, 'PLAIN LOGIN SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5', ''],
    ['unless somebody reads along', password, POSTFIX, { ...CLEAR, preparation: 'changes' }, 'SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5', 'PLAIN LOGIN'],
    ['no SCRAM where SASLprep refuses the password', password, `${POSTFIX} SCRAM-SHA-256-PLUS`, { ...TLS, preparation: 'refuses' }, 'CRAM-MD5 PLAIN LOGIN', ''],
    ['not over clear text either', password, 'SCRAM-SHA-256 PLAIN', { ...CLEAR, preparation: 'refuses' }, '', 'PLAIN'],
    ['unless there is nothing else', password, 'SCRAM-SHA-256 SCRAM-SHA-1', { ...TLS, preparation: 'refuses' }, 'SCRAM-SHA-256 SCRAM-SHA-1', ''],
    ['a token, by the standard first', token, 'XOAUTH2 PLAIN OAUTHBEARER', TLS, 'OAUTHBEARER XOAUTH2', ''],
    ['a token, as it may be', token, EXCHANGE, TLS, 'XOAUTH2', ''],
    ['no token over clear text', token, 'XOAUTH2 OAUTHBEARER', CLEAR, '', 'OAUTHBEARER XOAUTH2'],
    ['a token is no password', token, 'PLAIN LOGIN', TLS, '', ''],
    ['a certificate', external, 'PLAIN EXTERNAL', TLS, 'EXTERNAL', ''],
    ['a certificate, nothing else', external, 'PLAIN', TLS, '', ''],
    ['one\'s own', mechanism(), 'X-OWN PLAIN', TLS, 'X-Own', ''],
    ['one\'s own is kept from clear text', mechanism(), 'X-OWN', CLEAR, '', 'X-Own'],
    ['unless it says otherwise', mechanism({ clearTextSafe: true }), 'X-OWN', CLEAR, 'X-Own', ''],
    ['one\'s own must be allowed, too', mechanism(), 'X-OWN', { ...TLS, allowed: ['PLAIN'] }, '', ''],
  ])('%s', (_, credentials, offered, connection, usable, withheld) => {
    const choice = candidatesOf(credentials, offered, connection);
    expect(choice.usable.map(({ name }) => name).join(' ')).toBe(usable);
    expect(choice.withheld.join(' ')).toBe(withheld);
  });

  it.each<[string, string, Partial<Conditions>, string, string, string]>([
    // what, offered, the connection, usable, unable, unnamed
    ['the next one', 'CRAM-MD5 NTLM PLAIN', TLS, 'PLAIN', 'CRAM-MD5', ''],
    ['none', 'CRAM-MD5', CLEAR, '', 'CRAM-MD5', ''],
    ['none of a list', 'CRAM-MD5 DIGEST-MD5 NTLM PLAIN', { ...TLS, allowed: ['CRAM-MD5', 'DIGEST-MD5', 'NTLM'] }, '', 'DIGEST-MD5 CRAM-MD5 NTLM', 'PLAIN'],
  ])('without MD5: %s', (_, offered, connection, usable, unable, unnamed) => {
    withoutMd5();
    const choice = candidatesOf(password, offered, connection);
    expect([choice.usable.map(({ name }) => name), choice.unable, choice.unnamed].map((names) => names.join(' '))).toEqual([usable, unable, unnamed]);
  });

  it.each<[string, Credentials, Partial<Conditions>, string]>([
    ['a password', password, LOOPBACK, 'SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN'],
    ['a password on TLS', password, TLS, 'SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN'],
    ['a list', password, { ...TLS, allowed: ['PLAIN', 'NTLM', 'XOAUTH2'] }, 'NTLM PLAIN'],
    ['a token', token, TLS, 'OAUTHBEARER XOAUTH2'],
  ])('tells what %s allows, offered or not', (_, credentials, connection, allowed) => {
    expect(candidatesOf(credentials, '', connection).allowed.join(' ')).toBe(allowed);
  });

  it('begins a fresh mechanism each time, but one\'s own is what it is', () => {
    const secret = new Secret('secret');
    const begin = (credentials: Credentials, offered: string) => candidatesOf(credentials, offered, TLS).usable[0]!.begin(secret);
    for (const name of POSTFIX.split(' ').slice(0, -1)) {
      const [way] = candidatesOf(password, name, { ...TLS, allowed: [name] }).usable;
      expect(way!.begin(secret)).toMatchObject({ name, done: false });
      expect(way!.begin(secret)).not.toBe(way!.begin(secret));
      expect(candidatesOf(password, name, { ...CLEAR, allowed: [name] }).usable).toHaveLength(way!.begin(secret).clearTextSafe === true ? 1 : 0);
    }
    const mine = own();
    expect(begin({ kind: 'mechanism', mechanism: mine }, 'X-OWN')).toBe(mine);
  });

  // RFC 5802 section 6: "y" finds out whoever hides, renames or refuses the -PLUS forms; "n" where there is nothing to bind, or the options do not allow it.
  it.each([
    ['y,,', 'SCRAM-SHA-256 PLAIN', TLS],
    ['n,,', 'SCRAM-SHA-256 PLAIN', LOOPBACK],
    ['n,,', 'SCRAM-SHA-256 SCRAM-SHA-256-PLUS', { ...TLS, allowed: ['SCRAM-SHA-256'] }],
    ['y,,', 'SCRAM-SHA-256 SCRAM-X-PLUS', TLS],
    ['y,,', 'SCRAM-SHA-256 SCRAM-SHA-1-PLUS', { ...TLS, allowed: ['scram-sha-256-plus', 'SCRAM-SHA-256'] }],
    ['p=tls-exporter,,', 'SCRAM-SHA-256 SCRAM-SHA-256-PLUS', TLS],
    ['y,,', 'SCRAM-SHA-256 SCRAM-SHA-256-PLUS', TLS, 1],
  ])('says %s where %s is offered', (flag, offered, connection, refused = 0) => {
    const way = candidatesOf(password, offered, connection).usable[refused];
    expect(Buffer.from(way!.begin(new Secret('secret')).start()!).toString()).toMatch(new RegExp(`^${flag}n=tim,r=`));
  });
});

describe('userOf', () => {
  it.each([[password, 'tim'], [token, 'tim'], [external, 'tim'], [mechanism(), '']])('%o', (credentials, user) => {
    expect(userOf(credentials)).toBe(user);
  });
});

describe('mechanismsFor', () => {
  it.each([
    [password, 'SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 NTLM PLAIN LOGIN'],
    [token, 'OAUTHBEARER XOAUTH2'], [external, 'EXTERNAL'], [mechanism(), 'X-Own'],
  ])('%o', (credentials, names) => {
    expect(mechanismsFor(credentials).join(' ')).toBe(names);
  });
});
