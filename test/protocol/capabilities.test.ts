import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Capabilities } from '../../src/protocol/capabilities.js';
import { makeReply } from '../../src/protocol/reply.js';
import { takesNoTime } from '../support/takes-no-time.js';

const ehlo = (...lines: string[]): Capabilities => Capabilities.fromEhlo(makeReply(250, ['mail.example.com at your service', ...lines]));

describe('Capabilities', () => {
  it('reads what is offered', () => {
    const offered = ehlo('PIPELINING', 'size 1000', '8bitmime', 'AUTH plain LOGIN', 'X-Own  a  b ');
    expect(offered.domain).toBe('mail.example.com');
    expect(offered.extended).toBe(true);
    expect(offered.keywords).toEqual(['PIPELINING', 'SIZE', '8BITMIME', 'AUTH', 'X-OWN']);
    expect(offered.has('pipelining')).toBe(true);
    expect(offered.has('STARTTLS')).toBe(false);
    expect(offered.parameters('x-own')).toEqual(['a', 'b']);
    expect(offered.parameters('DSN')).toEqual([]);
    expect(offered.sizeLimit).toBe(1000);
    expect(offered.authentication).toEqual(['PLAIN', 'LOGIN']);
  });

  it('is the same to a console, in JSON, cloned and behind a proxy', () => {
    const offered = ehlo('PIPELINING', 'SIZE 1000', 'AUTH PLAIN', 'LIMITS RCPTMAX=50');
    const told = {
      domain: 'mail.example.com', extended: true, sizeLimit: 1000, authentication: ['PLAIN'], limits: { mails: undefined, recipients: 50, domains: undefined },
      offers: { PIPELINING: [], SIZE: ['1000'], AUTH: ['PLAIN'], LIMITS: ['RCPTMAX=50'] },
    };
    expect(inspect(offered)).toBe(inspect(told).replace('{', 'Capabilities {'));
    expect(JSON.stringify(offered)).toBe(JSON.stringify(told));
    expect(structuredClone(offered)).toEqual(told);
    const seen = new Proxy(offered, {});
    expect([seen.has('size'), seen.keywords, seen.parameters('SIZE')]).toEqual([true, ['PIPELINING', 'SIZE', 'AUTH', 'LIMITS'], ['1000']]);
  });

  it('can be changed by nobody', () => {
    const offered = ehlo('SIZE 5', 'PIPELINING', 'SIZE 6');
    for (const held of [offered, offered.offers, offered.limits, offered.authentication, offered.parameters('SIZE'), offered.parameters('PIPELINING'), offered.parameters('DSN')]) expect(Object.isFrozen(held)).toBe(true);
  });

  it('never reads the greeting as an offer', () => {
    const offered = Capabilities.fromEhlo(makeReply(250, ['evil STARTTLS AUTH PLAIN']));
    expect(offered.keywords).toEqual([]);
    expect(offered.authentication).toEqual([]);
  });

  it('reads only the first word of a line as a keyword', () => {
    expect(ehlo('HELP STARTTLS').has('STARTTLS')).toBe(false);
  });

  it.each([
    ['the old spelling', ['AUTH=LOGIN PLAIN'], ['LOGIN', 'PLAIN']],
    ['the old spelling without a name', ['AUTH= LOGIN'], ['LOGIN']],
    ['both spellings', ['AUTH PLAIN LOGIN', 'auth=login cram-md5'], ['PLAIN', 'LOGIN', 'CRAM-MD5']],
    ['no name', ['AUTH'], []],
    ['names that are none', ['AUTH PLAIN a"b \\u{1b} ABCDEFGHIJKLMNOPQRSTU'], ['PLAIN']],
  ])('merges AUTH: %s', (_, lines, expected) => {
    expect(ehlo(...lines).authentication).toEqual(expected);
  });

  it.each([
    ['SIZE 35882577', 35882577],
    ['SIZE', undefined],
    ['SIZE 0', undefined],
    ['SIZE -1', undefined],
    ['SIZE 1e9', undefined],
    ['SIZE 0x10', undefined],
    ['SIZE 999999999999999999999', undefined],
    ['SIZE 18446744073709551615', 2 ** 64],
  ])('%s limits to %j', (line, expected) => {
    expect(ehlo(line).sizeLimit).toBe(expected);
  });

  it.each([
    ['LIMITS MAILMAX=10 RCPTMAX=100 RCPTDOMAINMAX=5', { mails: 10, recipients: 100, domains: 5 }],
    ['limits rcptmax=999999', { recipients: 999_999 }],
    ['LIMITS', {}],
    ['LIMITS OTHER=5 RCPTMAXX=7 XRCPTMAX=7 RCPTMAX', {}],
    ['LIMITS MAILMAX=0 RCPTMAX=010 RCPTDOMAINMAX=-1', {}],
    ['LIMITS MAILMAX=1000000 RCPTMAX=1e3 RCPTDOMAINMAX=0x10', {}],
    ['LIMITS RCPTMAX=', {}],
    ['LIMITS RCPTMAX=50 RCPTMAX=20 RCPTMAX=70', { recipients: 20 }],
    ['RCPTMAX=5', {}],
  ])('%s', (line, expected) => {
    expect(ehlo(line).limits).toEqual({ mails: undefined, recipients: undefined, domains: undefined, ...expected });
    expect(Capabilities.none.limits).toEqual({ mails: undefined, recipients: undefined, domains: undefined });
  });

  it('ignores what is no keyword', () => {
    expect(ehlo('__proto__ x', '-DASH', '', '   ', 'a_b', '\\u{1b}[2J', 'SIZE=5').keywords).toEqual([]);
    expect(ehlo('constructor', 'toString').offers).toEqual({ CONSTRUCTOR: [], TOSTRING: [] });
    expect(ehlo().has('__proto__')).toBe(false);
    expect(ehlo().has('constructor')).toBe(false);
    expect(ehlo().parameters('constructor')).toEqual([]);
  });

  it('keeps 128 keywords', () => {
    const offered = ehlo(...Array.from({ length: 1000 }, (_, index) => `X${String(index)} 1`), 'X0 2');
    expect(offered.keywords).toHaveLength(128);
    expect(offered.parameters('X0')).toEqual(['1', '2']);
  });

  it('is not slowed down by spaces', async () => {
    await takesNoTime(() => ehlo(`AUTH${' '.repeat(200_000)}x`, `AUTH=${' '.repeat(200_000)}`));
  });

  it('knows HELO, and nothing at all', () => {
    const plain = Capabilities.fromHelo(makeReply(250, ['mail.example.com hello', 'STARTTLS']));
    expect(plain).toMatchObject({ domain: 'mail.example.com', extended: false, offers: {} });
    expect(Capabilities.none).toMatchObject({ domain: '', extended: false, offers: {} });
  });
});
