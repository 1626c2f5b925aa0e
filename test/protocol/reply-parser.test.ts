import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/protocol/redactor.js';
import { formatReply, type Reply } from '../../src/protocol/reply.js';
import { MalformedReply, ReplyParser } from '../../src/protocol/reply-parser.js';
import { cut, oneByOne } from '../support/cuts.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const readAll = (parser: ReplyParser): Reply[] => {
  const replies: Reply[] = [];
  for (let reply = parser.read(); reply !== undefined; reply = parser.read()) replies.push(reply);
  return replies;
};

const parse = (text: string, redactor?: Redactor): Reply[] => {
  const parser = new ReplyParser(redactor);
  parser.push(bytes(text));
  return readAll(parser);
};

/** Everything that can be told from some chunks: replies, whether and that they end in garbage, what is left, last words. */
const outcome = (chunks: readonly Buffer[]): unknown => {
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  let malformed = false;
  for (const chunk of chunks) {
    parser.push(chunk);
    try {
      for (let reply = parser.read(); reply !== undefined; reply = parser.read()) replies.push(reply);
    } catch (error) {
      if (!(error instanceof MalformedReply)) throw error;
      malformed = true;
      break;
    }
  }
  return { replies, malformed, buffered: malformed ? undefined : parser.buffered, last: parser.lastWords() };
};

describe('ReplyParser', () => {
  it.each([
    ['one line', '250 ok\r\n', ['250 ok']],
    ['several lines', '250-a\r\n250-b\r\n250 c\r\n', ['250 a / b / c']],
    ['the code alone', '250\r\n', ['250']],
    ['a code and a space', '250 \r\n', ['250']],
    ['an empty line of text', '250-\r\n250 x\r\n', ['250  / x']],
    ['the code alone as the last line', '250-x\r\n250\r\n', ['250 x /']],
    ['two replies', '250 a\r\n550 b\r\n', ['250 a', '550 b']],
    ['a reply that was read before and has not come whole', '250 a\r\n250 b\r\n250 a\r', ['250 a', '250 b']],
    ['a last line that came by itself before', '250 a\r\n250-b\r\n250 a\r\n250 c\r\n', ['250 a', '250 b / a', '250 c']],
    ['a reply and half of one', '250 a\r\n550 b\r', ['250 a']],
    ['a bare CR, which is text', '220-hi\r220 ok\r\n220 x\r\n', ['220 hi\\u{d}220 ok / x']],
    ['escapes for a terminal', '220 \u001b[2Jhi\t\r\n', ['220 \\u{1b}[2Jhi\\u{9}']],
    ['formats, which mean nothing', '250 ok%s%n\r\n', ['250 ok%s%n']],
    ['the edges of codes', '200 a\r\n559 b\r\n', ['200 a', '559 b']],
  ])('reads %s', (_, text, expected) => {
    expect(parse(text).map(formatReply)).toEqual(expected);
  });

  it('reads UTF-8 where it is that, and else each byte for itself', () => {
    expect(parse(utf8('250-grüße\r\n') + '250 gr\xfc\xdfe\r\n')[0]?.lines).toEqual(['grüße', 'grüße']);
  });

  it('escapes what turns text around', () => {
    expect(parse(utf8('250 a\u061cb\u202ec\r\n'))[0]?.lines).toEqual(['a\\u{61c}b\\u{202e}c']);
  });

  it('tells the enhanced status', () => {
    expect(parse('550 5.1.1 no\r\n')[0]).toEqual({ code: 550, severity: 5, enhanced: [5, 1, 1], lines: ['5.1.1 no'] });
    expect(parse('550 2.0.0 no\r\n')[0]).not.toHaveProperty('enhanced');
  });

  it('takes secrets out before it escapes', () => {
    const redactor = new Redactor();
    redactor.conceal('pass\tword');
    expect(parse('535 not pass\tword\r\n', redactor)[0]?.lines).toEqual(['not ***']);
    expect(() => parse('535 a\r\n535_pass\tword\r\n', redactor)).toThrow(/\*\*\*/);
  });

  it('takes a secret out also where it goes on in the next line', () => {
    const redactor = new Redactor();
    redactor.conceal('open sesame');
    const encoded = Buffer.from('\0ann\0open sesame').toString('base64');
    for (const text of ['open sesame', encoded]) {
      for (let place = 1; place < text.length; place += 1) {
        const [reply] = parse(`535-no: ${text.slice(0, place)}\r\n535 ${text.slice(place)}\r\n`, redactor);
        expect(reply?.lines.join('')).not.toMatch(/open sesame|b3BlbiBzZXNhbW/);
        expect(reply?.lines).toHaveLength(2);
        const [withStatus] = parse(`535-5.7.8 ${text.slice(0, place)}\r\n535 5.7.8 ${text.slice(place)}\r\n`, redactor);
        expect(withStatus?.lines.map((line) => line.replace('5.7.8 ', '')).join('')).not.toMatch(/open sesame|b3BlbiBzZXNhbW/);
      }
    }
    // What stands side by side by chance is no echo.
    redactor.conceal('S8BITM');
    expect(parse('250-a\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n', redactor)[0]?.lines).toEqual(['a', 'ENHANCEDSTATUSCODES', '8BITMIME']);
    expect(parse('535-no\r\n535 not you\r\n', redactor)[0]?.lines).toEqual(['no', 'not you']);
  });

  it.each(['235', '250', '354'])('takes it out of a %s over two lines, too, once a sign-in has begun', (code) => {
    const redactor = new Redactor();
    redactor.conceal('open sesame');
    const text = `${code}-hi, open ses\r\n${code} ame\r\n`;
    expect(parse(text, redactor)[0]?.lines).toEqual(['hi, open ses', 'ame']);
    redactor.mayMeetEchoes = true;
    expect(parse(text, redactor)[0]?.lines).toEqual(['***', '***']);
  });

  it.each([
    ['bare LF', '220 hi\n', /LF without CR/],
    ['bare LF inside', '220-hi\n220 ok\r\n', /LF without CR/],
    ['NUL', '220 a\0b\r\n', /NUL/],
    ['an empty line', '\r\n', /empty/],
    ['an empty line inside', '250-a\r\n\r\n', /empty/],
    ['an empty line of LF', '\n', /empty/],
    ['other codes in one reply', '250-ok\r\n554 no\r\n', /disagree: 250 and 554/],
    ['other codes, the other way', '554-no\r\n250 ok\r\n', /disagree/],
    ['two digits', '25 ok\r\n', /reply code/],
    ['four digits', '2500 ok\r\n', /reply code/],
    ['1yz', '150 ok\r\n', /reply code/],
    ['6yz', '650 ok\r\n', /reply code/],
    ['x6z', '260 ok\r\n', /reply code/],
    ['x9z of a yes', '399 ok\r\n', /reply code/],
    ['letters in the code', '2x0 ok\r\n', /reply code/],
    ['a tab behind the code', '250\tok\r\n', /reply code and a blank \("250/],
    ['CR behind the code', '250\r\r\n', /reply code/],
    ['a space before the code', ' 250 ok\r\n', /reply code/],
    ['another protocol, before its line ends', 'HTTP/1.1 400', /"HTTP\/1\.1 400"/],
    ['a TLS alert', '\x15\x03\x01', /TLS/],
    ['a TLS handshake', '\x16\x03\x01', /"implicit"/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(MalformedReply);
    expect(() => parse(text)).toThrow(message);
  });

  it('fails for ever once it has failed, and tells the good replies first', () => {
    const parser = new ReplyParser();
    parser.push(bytes('250 ok\r\nnonsense'));
    expect(parser.read()?.code).toBe(250);
    expect(() => parser.read()).toThrow(MalformedReply);
    parser.push(bytes('\r\n250 ok\r\n'));
    expect(() => parser.read()).toThrow(MalformedReply);
    expect(parser.lastWords()).toBeUndefined();
  });

  it('shows an excerpt that is short and safe', () => {
    const message = ((): string => {
      try { parse(utf8(`\u001b[31m${'x'.repeat(54)}${'\u{1f511}'.repeat(100)}`)); } catch (error) { return (error as Error).message; }
      return '';
    })();
    expect(message).toContain('\\u{1b}');
    expect(message).not.toMatch(/[\u0000-\u001f]/);
    expect(message).toContain('x\ufffd...');
    expect(message.length).toBeLessThan(150);
  });

  describe('limits', () => {
    const line = (length: number, head = '250 '): string => `${head}${'a'.repeat(length - head.length - 2)}\r\n`;

    it.each([
      ['a line that just fits', line(8 * 1024), true],
      ['a line of a byte more', line(8 * 1024 + 1), false],
      ['a line without end', line(9 * 1024).slice(0, 8 * 1024), false],
      ['as many lines as fit', `${'250-a\r\n'.repeat(255)}250 a\r\n`, true],
      ['a line more', `${'250-a\r\n'.repeat(256)}250 a\r\n`, false],
      ['as many bytes as fit', `${line(8 * 1024, '250-').repeat(7)}${line(8 * 1024)}`, true],
      ['more bytes', `${line(8 * 1024, '250-').repeat(8)}250 a\r\n`, false],
      ['many replies', '250 a\r\n'.repeat(20_000), true],
    ])('%s: %#', (_, text, fits) => {
      const whole = outcome([bytes(text)]) as { malformed: boolean };
      expect(whole.malformed).toBe(!fits);
      expect(outcome(cut(bytes(text), [1, 5, 8 * 1024 - 1, 8 * 1024, 8 * 1024 + 1, 64 * 1024 - 1, 64 * 1024]))).toEqual(whole);
    });

    it('lets lines be longer in a sign-in', () => {
      const parser = new ReplyParser();
      parser.isInSignIn = true;
      parser.push(bytes(line(16 * 1024, '334 ')));
      expect(parser.read()?.lines[0]).toHaveLength(16 * 1024 - 6);
    });

    it('cuts an endless reply', () => {
      const parser = new ReplyParser();
      let sent = 0;
      expect(() => {
        for (; sent < 1024 * 1024; sent += 1024) {
          parser.push(bytes(line(1024, '220-')));
          parser.read();
        }
      }).toThrow(MalformedReply);
      expect(sent).toBeLessThanOrEqual(64 * 1024);
    });
  });

  it('counts what is in no reply', () => {
    const parser = new ReplyParser();
    parser.push(bytes('250-a\r\n'));
    expect(parser.read()).toBeUndefined();
    expect(parser.buffered).toBe(7);
    parser.push(bytes('250 b\r\n25'));
    expect(parser.read()?.lines).toEqual(['a', 'b']);
    expect(parser.buffered).toBe(2);
    parser.push(Buffer.alloc(0));
    parser.push(bytes('0 c\r\n'));
    expect(parser.read()?.lines).toEqual(['c']);
    expect(parser.buffered).toBe(0);
  });

  it('never writes into a chunk', () => {
    const parser = new ReplyParser();
    const whole = bytes('250 a\r\nXXXX');
    parser.push(whole.subarray(0, 3));
    parser.push(bytes('-a\r\n'));
    expect(whole.toString()).toBe('250 a\r\nXXXX');
    parser.push(bytes('250 b\r\n'));
    expect(parser.read()?.lines).toEqual(['a', 'b']);
  });

  describe('last words', () => {
    it.each([
      ['554 go away', '554 go away'],
      ['421 bye\r', '421 bye'],
      ['554', '554'],
      ['554-a\r\n554 b', '554 a / b'],
      ['250 ok', undefined],
      ['354 go', undefined],
      ['554-more', undefined],
      ['55', undefined],
      ['', undefined],
      ['554 a\0', undefined],
      ['450-a\r\n554 b', undefined],
      ['554-a\r\n', undefined],
      ['560 a', '560 a'],
      ['260 a', undefined],
    ])('%j: %j', (text, expected) => {
      for (const chunks of [[bytes(text)], oneByOne(bytes(text))]) {
        const parser = new ReplyParser();
        for (const chunk of chunks) {
          parser.push(chunk);
          expect(parser.read()).toBeUndefined();
        }
        const reply = parser.lastWords();
        expect(reply && formatReply(reply)).toBe(expected);
        expect(parser.lastWords()).toBeUndefined();
        if (expected !== undefined) expect(parser.buffered).toBe(0);
      }
    });

    it('come behind the replies that are complete', () => {
      const parser = new ReplyParser();
      parser.push(bytes('250 a\r\n554 b'));
      expect(parser.lastWords()).toBeUndefined();
      expect(parser.read()?.code).toBe(250);
      expect(parser.lastWords()?.code).toBe(554);
    });
  });

  describe('any bytes, cut anywhere', () => {
    const codes = fc.constantFrom('250', '354', '421', '550', '599', '25');
    const lineLike = fc.tuple(codes, fc.constantFrom('-', ' ', '', '_'), fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'))
      .map((parts) => Buffer.from(parts.join(''), 'utf8'));
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)),
      fc.array(lineLike, { maxLength: 8 }).map((lines) => Buffer.concat(lines)),
      fc.array(fc.constantFrom('250-a\r\n', '250 b\r\n', '550 c\r\n', '550 d', '250-\r\n', '421\r\n'), { maxLength: 12 }).map((lines) => bytes(lines.join(''))),
    );

    it('give the same', () => {
      fc.assert(fc.property(input, fc.array(fc.nat(160), { maxLength: 20 }), (whole, places) => {
        const expected = outcome([whole]);
        expect(outcome(cut(whole, places))).toEqual(expected);
        expect(outcome(oneByOne(whole))).toEqual(expected);
      }), { numRuns: 500 });
    });

    it('give replies that are safe to print', () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        const text = Buffer.from(array).toString('latin1').replace(/[\n\0]/g, '');
        expect(formatReply(parse(`250 ${text}\r\n`)[0]!)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
      }));
    });
  });

  it('takes many replies that come byte by byte', () => {
    // Anything but linear time would take minutes.
    const parser = new ReplyParser();
    for (const chunk of oneByOne(bytes('250 ok\r\n'.repeat(32 * 1024)))) parser.push(chunk);
    let replies = 0;
    while (parser.read() !== undefined) replies += 1;
    expect(replies).toBe(32 * 1024);
  });
});
