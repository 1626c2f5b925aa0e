import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Redactor, Secret } from '../../src/protocol/secret.js';

describe('Secret', () => {
  it('prints as *** wherever it lands', () => {
    const secret = new Secret('open sesame');
    expect([String(secret), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })].join(' ')).not.toContain('sesame');
    expect(secret.reveal()).toBe('open sesame');
  });
});

describe('Redactor', () => {
  // Base64 of a text looks one of three ways, by what stands in front.
  it.each(['', 'a', 'ab', 'abc', '{"token":"'])('finds a secret behind %j in base64', (front) => {
    const redactor = new Redactor();
    redactor.conceal('open sesame');
    const encoded = Buffer.from(`${front}open sesame${front}`).toString('base64');
    const cleaned = redactor.clean(`334 ${encoded} x`);
    expect(cleaned).toContain('***');
    expect(Buffer.from(cleaned.split(' ')[1]!.replace('***', ''), 'base64').toString('latin1')).not.toContain('sesam');
  });

  it('knows a Secret wherever it is concealed', () => {
    const secret = new Secret('open sesame');
    for (const redactor of [new Redactor(), new Redactor()]) {
      redactor.conceal(secret);
      expect(redactor.clean(`535 open sesame, open%20sesame, ${Buffer.from('open sesame').toString('base64')}`)).toBe('535 ***, ***, ***');
    }
  });

  it.each(['p%c3%a4ss%20w*rd', 'p%C3%A4ss%20w*rd', 'p%C3%A4ss+w%2Ard', 'p%c3%a4ss%20w%2ard'])('knows it as others percent-encode it: %s', (written) => {
    const redactor = new Redactor();
    redactor.conceal('päss w*rd');
    expect(redactor.clean(`535 ${written} no`)).toBe('535 *** no');
  });

  it.each(['>>?>>?~~~', 'qu"ote\\back'])('knows %j as JSON and URLs hold it', (secret) => {
    const redactor = new Redactor();
    redactor.conceal(secret);
    const written = [JSON.stringify({ secret }), Buffer.from(secret).toString('base64url'), Buffer.from(secret).toString('base64')];
    for (const text of written) expect(redactor.clean(`535 ${text}`)).toMatch(/^535 (?:\{"secret":"\*\*\*"\}|\*\*\*\w?=*)$/);
  });

  it.each(['TLS', 'starttls', 'PLAIN', 'size'])('leaves the words of the protocol alone: %s', (secret) => {
    const redactor = new Redactor();
    redactor.conceal(secret);
    expect(redactor.clean('STARTTLS / AUTH PLAIN / size 100')).toBe('STARTTLS / AUTH PLAIN / size 100');
  });

  it('takes a whole before its parts, whichever was concealed first', () => {
    const response = Buffer.from('\0user1\0abc').toString('base64');
    const redactor = new Redactor();
    redactor.conceal('abc');
    redactor.concealExactly(response);
    expect(redactor.clean(`535 rejected: AUTH PLAIN ${response}`)).toBe('535 rejected: AUTH PLAIN ***');
  });

  it('leaves other text alone', () => {
    const redactor = new Redactor();
    redactor.conceal('pw');
    expect(redactor.clean('235 2.7.0 pw AHB3 ok')).toBe('235 2.7.0 pw AHB3 ok');
  });
});
