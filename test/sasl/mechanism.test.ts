import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { Secret } from '../../src/protocol/secret.js';
import { anonymous } from '../../src/sasl/anonymous.js';
import { cramMd5 } from '../../src/sasl/cram-md5.js';
import { external } from '../../src/sasl/external.js';
import { login } from '../../src/sasl/login.js';
import { decodeBase64, decodeChallenge, SaslError } from '../../src/sasl/mechanism.js';
import { plain } from '../../src/sasl/plain.js';

const pass = new Secret('tanstaaftanstaaf');
const nothing = new Uint8Array();
const text = (bytes: Uint8Array | undefined | Promise<Uint8Array>): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes as Uint8Array).toString('utf8');

describe('decodeBase64', () => {
  it('decodes what was encoded', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(Buffer.from(decodeBase64(Buffer.from(bytes).toString('base64'))).equals(bytes)).toBe(true);
    }));
  });

  it.each(['=', '====', 'A', 'AA', 'AAA', 'AA=', 'AA==AA==', 'AB==', ' AAAA', 'AAAA ', 'AA AA', 'AAAA\\u{d}', 'AA-_', 'AAAA=', 'Username:', 'é'])('refuses %j', (challenge) => {
    expect(() => decodeBase64(challenge)).toThrow(SaslError);
  });

  it('takes 8 KiB and no more', () => {
    expect(decodeBase64(Buffer.alloc(8192).toString('base64'))).toHaveLength(8192);
    expect(() => decodeBase64(Buffer.alloc(8193).toString('base64'))).toThrow(/8192/);
    expect(() => decodeBase64('A'.repeat(1_000_000))).toThrow(/8192/);
  });
});

describe('decodeChallenge', () => {
  it.each(['', 'VXNlcm5hbWU6', 'VXNlcm5hbWU6 ', 'VXNlcm5hbWU6 \t '])('decodes %j, whoever it is for', (challenge) => {
    for (const mechanism of [login('tim', pass), cramMd5('tim', pass)]) expect(text(decodeChallenge(challenge, mechanism))).toBe(challenge === '' ? '' : 'Username:');
  });

  it.each(['Username:', 'VXNlcm5hbWU6 R6p1 - mail', '{"status":"401"}', 'AB=='])('takes %j as it is where any will do', (challenge) => {
    expect(text(decodeChallenge(challenge, login('tim', pass)))).toBe(challenge);
    expect(() => decodeChallenge(challenge, cramMd5('tim', pass))).toThrow(SaslError);
  });
});

describe('PLAIN', () => {
  it('says everything at once', () => {
    const mechanism = plain('tim', pass);
    expect(mechanism.name).toBe('PLAIN');
    expect(mechanism.done).toBe(false);
    expect(text(mechanism.start())).toBe('\0tim\0tanstaaftanstaaf');
    expect(mechanism.done).toBe(true);
    expect(() => mechanism.next(nothing)).toThrow(SaslError);
  });

  it('speaks UTF-8', () => {
    expect(text(plain('jürgen', new Secret('pässwörd€')).start())).toBe('\0jürgen\0pässwörd€');
  });
});

describe('LOGIN', () => {
  it('answers two prompts by their order, whatever they say', () => {
    const mechanism = login('tim', pass);
    expect(mechanism.start()).toBeUndefined();
    expect(text(mechanism.next(Buffer.from('Password:')))).toBe('tim');
    expect(mechanism.done).toBe(false);
    expect(text(mechanism.next(nothing))).toBe('tanstaaftanstaaf');
    expect(mechanism.done).toBe(true);
    expect(() => mechanism.next(nothing)).toThrow(SaslError);
  });

  it('can begin anew', () => {
    const mechanism = login('tim', pass);
    void mechanism.next(nothing);
    expect(mechanism.start()).toBeUndefined();
    expect(text(mechanism.next(nothing))).toBe('tim');
  });
});

describe('CRAM-MD5', () => {
  it('answers as RFC 2195 section 2 does', () => {
    const mechanism = cramMd5('tim', pass);
    expect(mechanism.start()).toBeUndefined();
    expect(mechanism.done).toBe(false);
    expect(text(mechanism.next(Buffer.from('<1896.697170952@postoffice.reston.mci.net>')))).toBe('tim b913a602c7eda7a495b4e6e7334d3890');
    expect(mechanism.done).toBe(true);
    expect(() => mechanism.next(Buffer.from('<again>'))).toThrow(SaslError);
  });

  it('answers no challenge that is empty or too long', () => {
    const mechanism = cramMd5('tim', pass);
    expect(() => mechanism.next(nothing)).toThrow(SaslError);
    expect(() => mechanism.next(Buffer.alloc(1025))).toThrow(SaslError);
    expect(mechanism.done).toBe(false);
    expect(text(mechanism.next(Buffer.alloc(1024)))).toMatch(/^tim [0-9a-f]{32}$/);
  });
});

describe('EXTERNAL and ANONYMOUS', () => {
  it.each([
    ['EXTERNAL', external(), ''], ['EXTERNAL', external('ann@example.com'), 'ann@example.com'],
    ['ANONYMOUS', anonymous(), ''], ['ANONYMOUS', anonymous('jürgen'), 'jürgen'], ['ANONYMOUS', anonymous('🔑'.repeat(255)), '🔑'.repeat(255)],
  ])('%s says all at once', (name, mechanism, said) => {
    expect(mechanism).toMatchObject({ name, done: false, clearTextSafe: true });
    expect(text(mechanism.start())).toBe(said);
    expect(mechanism.done).toBe(true);
    expect(() => mechanism.next(nothing)).toThrow(SaslError);
  });

  it.each(['a\r\nb', '\0', 'a'.repeat(256), '\ud800'])('ANONYMOUS refuses the trace %j', (trace) => {
    expect(() => anonymous(trace)).toThrow(SmtpUsageError);
  });
});

describe.each([plain, login, cramMd5])('%o', (mechanism) => {
  it('refuses NUL, and does not repeat the secret', () => {
    expect(() => mechanism('t\0im', pass)).toThrow(SmtpUsageError);
    expect(() => mechanism('tim', new Secret('tans\0taaf'))).toThrow(/^auth\.pass holds a NUL/);
    expect(() => mechanism('tim', new Secret('tans\0taaf'))).not.toThrow('taaf');
  });

  it('does not show its secret', () => {
    expect(JSON.stringify(mechanism('tim', pass))).not.toContain('tanstaaf');
  });
});
