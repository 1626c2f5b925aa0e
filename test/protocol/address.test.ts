import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, parseClientName, parseMailbox, xtext } from '../../src/protocol/address.js';
import { rcptTo } from '../../src/protocol/command.js';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { takesNoTime } from '../support/takes-no-time.js';

const WHAT = 'envelope.to[2]';
const label = 'a'.repeat(63);

describe('parseMailbox', () => {
  it.each([
    ['ann@example.com', { path: 'ann@example.com', domain: 'example.com', utf8: false }],
    ['Ann.B+c@EXAMPLE.com', { path: 'Ann.B+c@example.com', domain: 'example.com', utf8: false }],
    ['"a b"@example.com', { path: '"a b"@example.com', domain: 'example.com', utf8: false }],
    ['"a\\"@\\\\>,"@example.com', { path: '"a\\"@\\\\>,"@example.com', domain: 'example.com', utf8: false }],
    ['"evil@attacker.example x"@good.example', { path: '"evil@attacker.example x"@good.example', domain: 'good.example', utf8: false }],
    ['a@localhost', { path: 'a@localhost', domain: 'localhost', utf8: false }],
    ['a@1.example', { path: 'a@1.example', domain: '1.example', utf8: false }],
    ['a@example.0xg', { path: 'a@example.0xg', domain: 'example.0xg', utf8: false }],
    ['a@under_score.example', { path: 'a@under_score.example', domain: 'under_score.example', utf8: false }],
    ['a@[127.0.0.1]', { path: 'a@[127.0.0.1]', domain: '[127.0.0.1]', utf8: false }],
    ['a@[ipv6:2001:DB8::1]', { path: 'a@[IPv6:2001:db8::1]', domain: '[IPv6:2001:db8::1]', utf8: false }],
    ['a@[IPv6:::ffff:1.2.3.4]', { path: 'a@[IPv6:::ffff:1.2.3.4]', domain: '[IPv6:::ffff:1.2.3.4]', utf8: false }],
    ['a@xn--i-7iq.example', { path: 'a@xn--i-7iq.example', domain: 'xn--i-7iq.example', utf8: false }],
    ['a@BÜCHER.example', { path: 'a@xn--bcher-kva.example', domain: 'xn--bcher-kva.example', utf8: false }],
    ['a@straße.example', { path: 'a@xn--strae-oqa.example', domain: 'xn--strae-oqa.example', utf8: false }],
    ['a@例え.テスト', { path: 'a@xn--r8jz45g.xn--zckzah', domain: 'xn--r8jz45g.xn--zckzah', utf8: false }],
    ['josé@example.com', { path: 'josé@example.com', domain: 'example.com', utf8: true }],
    ['"😀 x"@example.com', { path: '"😀 x"@example.com', domain: 'example.com', utf8: true }],
    ['می\u200cخواهم@example.com', { path: 'می\u200cخواهم@example.com', domain: 'example.com', utf8: true }],
    ['Postmaster', { path: 'Postmaster', domain: '', utf8: false }],
    [`${'a'.repeat(64)}@example.com`, { path: `${'a'.repeat(64)}@example.com`, domain: 'example.com', utf8: false }],
  ])('reads %s', (text, expected) => {
    const mailbox = parseMailbox(text, WHAT);
    expect({ ...mailbox, domain: domainOf(mailbox) }).toEqual(expected);
  });

  it.each([
    ['', /empty/],
    ['ann', /no "@"/],
    ['@example.com', /source route/],
    ['@a,@b:c@d', /source route/],
    ['ann@', /no valid domain/],
    ['Ann <ann@example.com>', /display name/],
    ['<ann@example.com>', /display name/],
    ['ann @example.com', /space/],
    [' ann@example.com', /space/],
    ['ann@example.com ', /space/],
    ['ann@example.com> SIZE=1', /angle bracket/],
    ['a@b>\r\nRCPT TO:<evil@example.com', /line break/],
    ['"x\r\nRCPT TO:<evil>"@example.com', /line break/],
    ['"x\\\r\\\n"@example.com', /line break/],
    ['a\nb@example.com', /line break/],
    ['a\rb@example.com', /line break/],
    ['a\0@example.com', /control/],
    ['a\u0085@example.com', /control/],
    ['a\u2028@example.com', /control/],
    ['a\u202e@example.com', /invisible/],
    ['a\ud800@example.com', /invisible/],
    ['a\u200bb@example.com', /invisible/],
    ['a\u00a0b@example.com', /invisible/],
    ['a\ufe0fb@example.com', /invisible/],
    ['(hi)ann@example.com', /comment/],
    ['ann(hi)@example.com', /comment/],
    ['user@good.example(@attacker.example)', /comment/],
    ['"a"@good(comment)evil.example', /comment/],
    ['<a@good(x).example>', /display name/],
    ['a@b@c', /no valid domain/],
    ['a,b@example.com', /holds a comma or semicolon/],
    ['a@example,com', /holds a comma or semicolon/],
    ['My Shop', /no "@"/],
    ['a@b.example,c@d.example', /more than one address/],
    ['mailto:a@example.com', /scheme/],
    ['a[b@example.com', /quoted/],
    ['.a@example.com', /dot/],
    ['a.@example.com', /dot/],
    ['a..b@example.com', /dot/],
    ['"a@example.com', /never closed/],
    ['"a\\"', /never closed/],
    ['"a\\', /never closed/],
    ['"a"b@example.com', /quoted/],
    ['"a\\é"@example.com', /not ASCII/],
    ['a@-b.example', /no valid domain/],
    ['a@b-.example', /no valid domain/],
    ['a@b..example', /no valid domain/],
    ['a@b.example.', /ends with a dot/],
    ['a@.example', /no valid domain/],
    ['a@b%41.example', /no valid domain/],
    [`a@${label}a.example`, /no valid domain/],
    ['a@127.0.0.1', /brackets/],
    ['ann@1', /number/],
    ['ann@123.456', /number/],
    ['ann@example.0x1F', /number/],
    ['ann@example.0X', /number/],
    ['a@[127.0.0.1', /literal/],
    ['a@[127.0.0.01]', /literal/],
    ['a@[127.0.0.256]', /literal/],
    ['a@[127.0.0]', /literal/],
    ['a@[127.0.0.1.]', /literal/],
    ['a@[ 127.0.0.1 ]', /literal/],
    ['a@[2001:db8::1]', /literal/],
    ['a@[IPv6:2001:db8::1%eth0]', /literal/],
    ['a@[IPv6:1::2::3]', /literal/],
    ['a@[IPv6:127.0.0.1]', /literal/],
    ['a@[x,y>z]', /literal/],
    ['a@[127.0.0.1].example', /literal/],
    ['a@ｅxample.com', /international/],
    ['a@１２７.0.0.1', /international/],
    ['a@exam\u00adple.com', /invisible/],
    ['a@bü\u00adcher.example', /invisible/],
    ['a@bücher。example', /international/],
    ['a@ban\u212a.example', /international/],
    ['a@bücher\u212a.example', /international/],
    ['a@xn--bank.example', /"xn--"/],
    ['a@mail.xn--a', /"xn--"/],
    ['a@XN--BANK.example', /"xn--"/],
    ['a@bü/cher.example', /domain/],
    ['a@\u{560a}\u{560d}..example', /domain/],
    [`${'a'.repeat(65)}@example.com`, /64 bytes/],
    [`${'é'.repeat(33)}@example.com`, /64 bytes/],
    [`a@${[label, label, label, label].join('.')}.x`, /255 bytes/],
  ])('refuses %j', (text, message) => {
    const read = (): unknown => parseMailbox(text, WHAT);
    expect(read).toThrow(SmtpUsageError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^The field "envelope\.to\[2\]" /);
    expect(read).not.toThrow(/[\u0000-\u001f\u0085\u2028\u202e]/);
  });

  it.each([
    ['a byte too many', `${'a'.repeat(61)}@${[label, label, label].join('.')}.x`],
    ['too many bytes in fewer characters', 'é'.repeat(300)],
    ['a million of them', 'a'.repeat(1_000_000)],
  ])('refuses a path of %s', (_, text) => {
    expect(() => parseMailbox(text, WHAT)).toThrow(/^The field "envelope\.to\[2\]" is longer than the 254 bytes/);
  });

  it('knows Postmaster as a recipient only', () => {
    expect(parseMailbox('postMASTER', WHAT).path).toBe('postMASTER');
    expect(() => parseMailbox('Postmaster', 'envelope.from', 'sender')).toThrow(/no "@"/);
  });

  it('lets a path of just 254 bytes through', () => {
    const domain = `${[label, label, label].join('.')}.${'b'.repeat(254 - 1 - 10 - 192)}`;
    expect(parseMailbox(`${'a'.repeat(10)}@${domain}`, WHAT).path).toHaveLength(254);
  });

  it('reads its own paths the same way, and none of them breaks out of a command', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.tuple(fc.string({ unit: 'grapheme', maxLength: 10 }), fc.constantFrom('example.com', '[1.2.3.4]', 'bücher.example')).map(([local, domain]) => `"${local}"@${domain}`),
      fc.emailAddress(),
      fc.array(fc.constantFrom('"', '\\', '@', '.', 'a', ' ', '>', '<', '\r\n', '[', ']', '(', 'é'), { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(fc.property(anything, (text) => {
      let mailbox;
      try {
        mailbox = parseMailbox(text, WHAT);
      } catch (error) {
        if (!(error instanceof SmtpUsageError)) throw error;
        return;
      }
      expect(parseMailbox(mailbox.path, WHAT)).toEqual(mailbox);
      expect(rcptTo(mailbox.path).line).toBe(`RCPT TO:<${mailbox.path}>`);
      expect(mailbox.path.replace(/^"(?:[^"\\]|\\.)*"/, '')).not.toMatch(/[<> \r\n]/);
    }), { numRuns: 1000 });
  });

  it('reads a plain address as it reads one that needs a closer look, here for the case of its domain', () => {
    const read = (text: string): unknown => {
      try {
        const { path, ...rest } = parseMailbox(text, WHAT);
        return { path: path.replace(/@.*/, (domain) => domain.toLowerCase()), ...rest };
      } catch (error) {
        return (error as Error).message.replace(/\[.*\]/, '');
      }
    };
    const plain = fc.tuple(fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,66}$/), fc.stringMatching(/^[a-z0-9_.-]{0,70}[a-z]$/));
    fc.assert(fc.property(plain, ([local, domain]) => {
      expect(read(`${local}@${domain}`)).toEqual(read(`${local}@${domain.toUpperCase()}`));
    }), { numRuns: 1000 });
  });

  it.each(['(', '<', '@', ',', ':', '"', 'a;', '\\', '.', 'é'])('is not slowed down by many %j', async (part) => {
    await takesNoTime(() => {
      expect(() => parseMailbox(part.repeat(100_000), WHAT)).toThrow(SmtpUsageError);
      expect(() => parseMailbox(`a@${part.repeat(100_000)}`, WHAT)).toThrow(SmtpUsageError);
    });
  });
});

describe('parseClientName', () => {
  it.each([
    ['Client.Example.com', 'client.example.com'],
    ['my_host', 'my_host'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('%s', (text, expected) => {
    expect(parseClientName(text)).toBe(expected);
  });

  it.each(['', 'me\r\nMAIL FROM:<evil>', 'my host', '192.0.2.1', '[x]', 'a..b', 'a\0b'])('refuses %j', (text) => {
    expect(() => parseClientName(text)).toThrow(/^The option "clientName" /);
    expect(() => parseClientName(text)).not.toThrow(/[\r\n\0]/);
  });
});

describe('xtext', () => {
  it.each([
    ['', ''],
    ['ann@example.com', 'ann@example.com'],
    ['a+b=c', 'a+2Bb+3Dc'],
    ['a b\r\n\0', 'a+20b+0D+0A+00'],
    ['é', '+C3+A9'],
    ['~!\u007f', '~!+7F'],
  ])('%j is %j', (text, expected) => {
    expect(xtext(text)).toBe(expected);
  });

  it('is one ESMTP value, and decodes to what it was', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(xtext(text)).toMatch(/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/);
      const decoded = xtext(text).replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
      expect(Buffer.from(decoded, 'latin1').toString('utf8')).toBe(text);
    }));
  });
});
