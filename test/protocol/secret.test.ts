import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/protocol/redactor.js';
import { Secret } from '../../src/protocol/secret.js';

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

  it.each([
    ['the octets that were sent', 'p\u00c3\u00a4ss/\u00c3\u0084'], ['those as they are shown', 'p\u00c3\u00a4ss/\u00c3\\u{84}'],
    ['Python', 'p\\u00e4ss/\\u00c4'], ['.NET', 'p\\u00E4ss/\\u00C4'], ['PHP', 'p\\u00e4ss\\/\\u00c4'], ['a slash alone', 'päss\\/Ä'],
  ])('knows it as others write it: %s', (_, written) => {
    const redactor = new Redactor();
    redactor.conceal('päss/Ä');
    expect(redactor.clean(`535 ${written} no`)).toBe('535 *** no');
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

  it.each([[['open ', 'sesame']], [['open', ' sesame']], [['  open s', '  esame']], [['5.7.8  open se ', '5.7.8  same']]])('knows it over two lines: %j', (lines) => {
    const redactor = new Redactor();
    redactor.conceal('open sesame');
    expect(redactor.cleanLines(lines)).toEqual(['***', '***']);
  });

  it('leaves other text alone', () => {
    const redactor = new Redactor();
    redactor.conceal('pw');
    expect(redactor.clean('235 2.7.0 pw AHB3 ok')).toBe('235 2.7.0 pw AHB3 ok');
  });
});

describe('an echo that was cut short', () => {
  const knowing = (...secrets: readonly string[]): Redactor => {
    const redactor = new Redactor();
    for (const secret of secrets) redactor.conceal(secret);
    redactor.mayMeetEchoes = true;
    return redactor;
  };

  it('is taken out as far as it goes', () => {
    const redactor = knowing('hunter2-correct-horse');
    const encoded = Buffer.from('hunter2-correct-horse').toString('base64');
    expect(redactor.clean(`500 hunter2-correct-... ${encoded.slice(0, 20)} too long`)).toBe('500 ***... *** too long');
    expect(redactor.clean('500 hunter2-cor')).toBe('500 hunter2-cor');
  });

  it('of one token is no obstacle to another that begins alike', () => {
    const redactor = knowing('eyJhbGciOiJSUzI1NiJ9.first', 'eyJhbGciOiJSUzI1NiJ9.second-token', 'eyJhbGciOiJSUzI1NiJ9.s');
    expect(redactor.clean('535 eyJhbGciOiJSUzI1NiJ9.second-tok no')).toBe('535 *** no');
    expect(redactor.clean('535 eyJhbGciOiJSUzI1NiJ9.second-token no')).toBe('535 *** no');
  });

  it('that repeats itself is taken out to its end', () => {
    expect(knowing('ababababababX').clean('535 ababababababababX no')).toBe('535 *** no');
  });

  it('is nothing before AUTH, no word of the protocol, and nothing that is known exactly', () => {
    const early = new Redactor();
    early.conceal('hunter2-correct-horse');
    expect(early.clean('250 hunter2-correct')).toBe('250 hunter2-correct');
    const redactor = knowing('ENHANCEDSTATUSCODES-2');
    redactor.concealExactly('ann.smith@example.com 0123456789abcdef');
    expect(redactor.clean('ENHANCEDSTATUSCODES / ann.smith@example.com unknown')).toBe('ENHANCEDSTATUSCODES / ann.smith@example.com unknown');
  });

  it('is looked for in time that grows with the text only', () => {
    expect(knowing('a'.repeat(4000)).clean('a'.repeat(64 * 1024))).not.toContain('a');
  });
});
