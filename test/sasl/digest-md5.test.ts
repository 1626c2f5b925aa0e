import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/protocol/secret.js';
import { digestMd5 } from '../../src/sasl/digest-md5.js';
import { SaslError } from '../../src/sasl/mechanism.js';

const mechanism = (user = 'chris', pass = 'secret', host = 'elwood.innosoft.com', nonce = 'OA6MHXh6VqTrRk') => digestMd5(user, new Secret(pass), { host, nonce });
const text = (bytes: Uint8Array | Promise<Uint8Array>): string => Buffer.from(bytes as Uint8Array).toString('utf8');

const RFC = 'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8';

describe('DIGEST-MD5', () => {
  // The example of RFC 2831 section 4, with "smtp" for "imap"; the sums were computed with Python's hashlib, which finds those of the RFC.
  it('answers, and checks the answer to that', () => {
    const exchange = mechanism();
    expect(exchange.start()).toBeUndefined();
    expect(text(exchange.next(Buffer.from(RFC)))).toBe(
      'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="smtp/elwood.innosoft.com",response=52ff44907f72314481b5c098c708ebf3,qop=auth',
    );
    expect(exchange.done).toBe(false);
    expect(text(exchange.next(Buffer.from('rspauth=84106ee5cb85c426e7ef928db0e49bfa')))).toBe('');
    expect(exchange.done).toBe(true);
    expect(() => exchange.next(Buffer.from(RFC))).toThrow(SaslError);
    exchange.start();
    expect(exchange.done).toBe(false);
  });

  it('names a charset only where the server does', () => {
    expect(text(mechanism().next(Buffer.from(RFC.replace(',charset=utf-8', ''))))).toMatch(/^username=/);
  });

  it('has another nonce each time', () => {
    const ask = (): string => text(digestMd5('chris', new Secret('secret'), { host: 'mail.example' }).next(Buffer.from(RFC)));
    expect(ask()).not.toBe(ask());
  });

  it.each([
    ['UTF-8 where Latin-1 does not do', 'jürgen', 'pässwörd €', 'nonce="abc",algorithm=md5-sess,charset=utf-8', 'username="jürgen",nonce=', 'response=e334bc9f7ff3cc285086bf95e2d5d643'],
    ['quotes and backslashes', 'b"o\\b', 'x=1,', 'realm="a,\\"b",nonce="abc",algorithm="md5-sess",charset="utf-8"', 'username="b\\"o\\\\b",realm="a,\\"b"', 'response=223d41372102040c3ca17d4a3e15b86f'],
  ])('speaks %s', (_, user, pass, challenge, ...parts) => {
    const response = text(mechanism(user, pass, 'mail.example', 'def').next(Buffer.from(challenge)));
    for (const part of parts) expect(response).toContain(part);
  });

  it.each([
    RFC.replace('md5-sess', '"md5-sess"').replace('utf-8', '"utf-8"'), RFC.replaceAll(',', ' , '), RFC.replace('utf-8', 'UTF-8'), `,, ${RFC},,`, `${RFC},realm="second"`, `${RFC},maxbuf=65536,cipher="rc4,des",x-new="a"`,
    RFC.replace('qop="auth",', ''), RFC.replace('"auth"', '"auth-int, auth"'), RFC.replace('auth', 'AUTH-CONF,AUTH'),
  ])('takes %j', (challenge) => {
    expect(text(mechanism().next(Buffer.from(challenge)))).toMatch(/response=[0-9a-f]{32}/);
  });

  it.each([
    '', 'garbage', RFC.replace('nonce=', 'once='), `${RFC},nonce="again"`, RFC.replace('nonce="OA6MG9tEQGm2hh"', 'nonce=""'), RFC.replace('md5-sess', 'sha-256'), RFC.replace(',algorithm=md5-sess', ''),
    `${RFC},algorithm=md5-sess`, RFC.replace('"auth"', '"auth-int"'), RFC.replace('"OA6MG9tEQGm2hh"', '"OA6MG9tEQGm2hh'), `${RFC};x`, `${RFC},x="${'a'.repeat(2048)}"`,
    RFC.replace('utf-8', 'iso-8859-1'), `${RFC},charset=utf-8`, `${RFC},stale=true,stale=true`, `${RFC},maxbuf=1024,maxbuf=512`,
  ])('refuses %j', (challenge) => {
    expect(() => mechanism().next(Buffer.from(challenge))).toThrow(SaslError);
  });

  it('refuses or answers whatever comes, in time', () => {
    const garbage = fc.string({ unit: fc.constantFrom('a', '=', '"', '\\', ',', ' ', '\t', 'nonce="', 'algorithm=md5-sess,'), maxLength: 200 });
    const directive = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('qop="auth"', 'realm="a\\"b"', 'charset=utf-8', ' ', '') }, garbage);
    const challenge = fc.shuffledSubarray(['nonce="a"', 'algorithm=md5-sess'], { minLength: 1 }).chain((needed) => fc.array(directive, { maxLength: 3 }).map((more) => [...more, ...needed].join(',')));
    let answered = 0;
    fc.assert(fc.property(fc.oneof(garbage, challenge), (given) => {
      const exchange = mechanism();
      let response: string | undefined;
      try { response = text(exchange.next(Buffer.from(given))); } catch (error) { expect(error).toBeInstanceOf(SaslError); }
      expect(exchange.done).toBe(false);
      if (response === undefined) return;
      answered += 1;
      expect(response).toMatch(/response=[0-9a-f]{32}/);
    }));
    expect(answered).toBeGreaterThan(0);
  });

  it.each(['rspauth=84106ee5cb85c426e7ef928db0e49bfb', 'rspauth=', '', 'x'])('does not believe %j', (answer) => {
    const exchange = mechanism();
    void exchange.next(Buffer.from(RFC));
    expect(() => exchange.next(Buffer.from(answer))).toThrow(SaslError);
    expect(exchange.done).toBe(false);
  });
});
