import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, CanonicalLines, DotStuffing, measure, roomFor, Untouched, type ContentEncoder } from '../../src/protocol/content-encoder.js';
import { cut, oneByOne } from '../support/cuts.js';
import { normalised, undot } from '../support/undot.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Each chunk gets just as much room as it must have. */
const encode = <T extends ContentEncoder>(chunks: readonly Uint8Array[], encoder: T): { readonly wire: Buffer; readonly encoder: T } => {
  const blocks = chunks.map((chunk) => {
    const into = Buffer.alloc(1 + roomFor(chunk.length), '!');
    const end = encoder.encode(chunk, into, 1);
    expect(into[0]).toBe(0x21);
    return into.subarray(1, end);
  });
  const last = Buffer.alloc(roomFor(0));
  return { wire: Buffer.concat([...blocks, last.subarray(0, encoder.end(last, 0))]), encoder };
};

const stuff = (chunks: readonly Uint8Array[]): Buffer => encode(chunks, new DotStuffing()).wire;

/** What holds of every body, however it is cut. */
const check = (body: Buffer, chunks: readonly Buffer[]): void => {
  const { wire, encoder } = encode(chunks, new DotStuffing());
  const text = wire.toString('latin1');
  const expected = normalised(body);
  expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  expect(`\r\n${text}`.indexOf('\r\n.\r\n')).toBe(text.length - 3);
  expect(undot(wire)).toEqual({ message: expected, rest: Buffer.alloc(0) });
  expect(encoder.bytes).toBe(expected.length);
  expect(measure(body)).toEqual({ bytes: expected.length, eightBit: encoder.eightBit });
};

describe('CanonicalLines', () => {
  it.each([['', ''], ['a', 'a\r\n'], ['.a\n..', '.a\r\n..\r\n'], ['a\r\r\nb\r', 'a\r\n\r\nb\r\n']])('leaves the dots of %j alone', (body, expected) => {
    for (const chunks of [[bytes(body)], oneByOne(bytes(body))]) {
      const { wire, encoder } = encode(chunks, new CanonicalLines());
      expect(wire.toString('latin1')).toBe(expected);
      expect(encoder.bytes).toBe(expected.length);
    }
    expect(canonical(bytes(body)).toString('latin1')).toBe(expected);
  });
});

describe('DotStuffing', () => {
  it.each([
    ['nothing', '', '.\r\n'],
    ['a line', 'a\r\n', 'a\r\n.\r\n'],
    ['a line without end', 'a', 'a\r\n.\r\n'],
    ['a line that ends in CR', 'a\r', 'a\r\n.\r\n'],
    ['a line that ends in LF', 'a\n', 'a\r\n.\r\n'],
    ['a dot', '.', '..\r\n.\r\n'],
    ['a line of a dot', '.\r\n', '..\r\n.\r\n'],
    ['two dots', '..\r\n', '...\r\n.\r\n'],
    ['dots that are not at the start', 'a.\r\nb..\r\n', 'a.\r\nb..\r\n.\r\n'],
    ['a dot behind each line end', 'a\r\n.b\n.c\r.d', 'a\r\n..b\r\n..c\r\n..d\r\n.\r\n'],
    ['empty lines', '\r\n\r\n', '\r\n\r\n.\r\n'],
    ['bare line ends in a row', '\n\n\r\r', '\r\n\r\n\r\n\r\n.\r\n'],
    ['CR CR LF', 'a\r\r\nb', 'a\r\n\r\nb\r\n.\r\n'],
    ['LF CR', 'a\n\rb', 'a\r\n\r\nb\r\n.\r\n'],
  ])('writes %s', (_, body, expected) => {
    for (const chunks of [[bytes(body)], oneByOne(bytes(body))]) expect(stuff(chunks).toString('latin1')).toBe(expected);
  });

  // The ends of data that one server or another was found to believe in (CVE-2023-51764, -51765, -51766).
  it.each(['\n.\n', '\n.\r\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\n.\r', '\r\r\n.\r\n', '\r\n.\r\n', '\r\n\0.\r\n', '\r\n.\n', '\n\n.\r\r', '\r\n.\r\r\n'])('smuggles nothing by %j, at every split', (trick) => {
    for (const body of [trick, `a${trick}MAIL FROM:<evil@example.com>\r\n`, `a${trick}`, `${trick}${trick}`].map(bytes)) {
      check(body, oneByOne(body));
      for (let first = 0; first <= body.length; first += 1)
        for (let second = first; second <= Math.min(body.length, first + 6); second += 1) check(body, cut(body, [first, second]));
    }
  });

  it.each(['\r', '\n', '\r\n', 'a\r\n', 'a\n', '\n\r'])('measures %j piece by piece', (part) => {
    for (const lead of ['', 'a', 'ab']) {
      const body = bytes(lead + part.repeat(70_000));
      expect(measure(body).bytes).toBe(normalised(body).length);
    }
  });

  it('gives any body back, normalised, cut anywhere', () => {
    const body = fc.oneof(
      fc.array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\xff'), { maxLength: 40 }).map((parts) => bytes(parts.join(''))),
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    );
    fc.assert(fc.property(body, fc.array(fc.nat(120), { maxLength: 12 }), (whole, places) => {
      check(whole, cut(whole, places));
      check(whole, [whole]);
      check(whole, oneByOne(whole));
    }), { numRuns: 1000 });
  });

  it('ignores empty chunks', () => {
    const nothing = Buffer.alloc(0);
    expect(stuff([nothing, bytes('a\r'), nothing, bytes('\n'), nothing, bytes('.'), nothing]).toString()).toBe('a\r\n..\r\n.\r\n');
  });

  it('leaves its input alone', () => {
    const chunk = bytes('.a\n.b\r');
    stuff([chunk]);
    expect(chunk.toString()).toBe('.a\n.b\r');
  });

  it('sees bytes above 127', () => {
    expect(encode([bytes('a\x7f')], new DotStuffing()).encoder.eightBit).toBe(false);
    expect(encode([bytes('a'), bytes('\x80'), bytes('a')], new DotStuffing()).encoder.eightBit).toBe(true);
  });

  // Anything but linear time would take hours.
  it.each([['\n'], ['\r'], ['\r\n'], ['a'], [`${'a'.repeat(76)}\n`], [`${'a'.repeat(76)}\r`]])('takes megabytes of %j', (part) => {
    const body = bytes(part.repeat(4 * 1024 * 1024 / part.length));
    expect(encode([body], new DotStuffing()).encoder.bytes).toBe(measure(body).bytes);
  });
});

describe('Untouched', () => {
  it('gives any bytes as they are', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array()), (chunks) => {
      const { wire, encoder } = encode(chunks, new Untouched());
      expect(wire.equals(Buffer.concat(chunks))).toBe(true);
      expect(encoder.bytes).toBe(wire.length);
    }));
  });
});
