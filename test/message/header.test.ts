import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ComposedMessage } from '../../src/message/message.js';
import { head, mailOf, read } from '../support/drafted.js';
import { takesNoTime } from '../support/takes-no-time.js';

const composed = { from: 'ann@example.com', to: 'bob@example.org', text: 'x' };

const headOf = async (message: Partial<ComposedMessage>): Promise<string> => head(await read(await mailOf({ ...composed, ...message })));

/** The values of the fields of that name, unfolded. */
const valuesOf = (header: string, name: string): readonly string[] =>
  header.replace(/\r\n(?=[ \t])/g, '').split('\r\n').filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1));

describe('a header field of the caller', () => {
  test.each([
    ['List-ID', '"My News" <news.example.com>'],
    ['Disposition-Notification-To', '"Doe, Ann" <ann@example.com>'],
    ['X-Smtpapi', '{"category":"x"}'],
    ['Autocrypt', 'addr="ann@example.com"; keydata=AAAA'],
    ['List-Unsubscribe', '<mailto:"x y"@example.com>, <https://example.com/u?id="1">'],
    ['List-ID', '=?UTF-8?Q?Gr=C3=BC=C3=9Fe?= <news.example.com>'],
  ])('is written as it is: %s: %s', async (name, value) => {
    expect(valuesOf(await headOf({ headers: { [name]: value } }), name.replace('Smtpapi', 'SMTPAPI'))).toEqual([` ${value}`]);
    const content = await read(await mailOf({ ...composed, attachments: [{ content: 'a', headers: { [name]: value } }] }));
    expect(content.replace(/\r\n /g, ' ')).toContain(`: ${value}\r\n`);
  });

  test('is one field, whatever it holds: no line is too long, and none is blank', async () => {
    const word = fc.constantFrom('a', '"', ' ', '\t', ' '.repeat(75), 'y'.repeat(890), '\\', '<', '=?', '?=', '\u00e9', '\u0001', ':', 'Bcc: eve@example.com');
    const texts = fc.tuple(word, word, word, word, word).map((words) => words.join(''));
    await fc.assert(fc.asyncProperty(texts, async (text) => {
      let header;
      try {
        header = await headOf({ subject: text, headers: { 'X-A': text } });
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_USAGE' });
        return;
      }
      const lines = header.split('\r\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
      expect(lines.filter((line) => line.trim() === '')).toEqual([]);
      expect(lines.filter((line) => !/^(?:[ \t]|(?:X-A|From|To|Subject|Message-ID|Date|MIME-Version|Content-Type|Content-Transfer-Encoding):)/.test(line))).toEqual([]);
      if (/^[\t -~]*$/.test(text)) expect(valuesOf(header, 'X-A')).toEqual([` ${text.trimEnd()}`]);
    }), { numRuns: 300 });
  });
});

test.each(['=?utf-8?Q?Hello?= is how it looks', 'a =?us-ascii?B?SGk=?=', `=?\u{1f600}${'\u{1f600}'.repeat(60)}`, 'what =? is'])('a subject is read as it was given, if it looks like an encoded word: %s', async (subject) => {
  const words = (valuesOf(await headOf({ subject }), 'Subject')[0] ?? '').trim().split(' ');
  expect(words.filter((word) => word.length > 75)).toEqual([]);
  expect(words.map((word) => Buffer.from(/^=\?UTF-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? '', 'base64').toString()).join('')).toBe(subject);
});

test.each([40, 60, 76, 130, 141])('no line of a header is blank where a text of %i characters ends in blanks', async (length) => {
  for (let blanks = 1; blanks < 75; blanks += 1) {
    const text = 'wwwww '.repeat(length).slice(0, length) + ' '.repeat(blanks);
    expect((await headOf({ subject: text })).split('\r\n').filter((line) => line.trim() === '')).toEqual([]);
  }
});

test.each<[NonNullable<ComposedMessage['to']>, string]>([
  [{ name: ' '.repeat(75), address: 'bob@example.org' }, 'bob@example.org'],
  ['Monitor 27" and 32" Shop <bob@example.org>', '"Monitor 27\\" and 32\\" Shop" <bob@example.org>'],
  ['"Bob" Smith <bob@example.org>', 'Bob Smith <bob@example.org>'],
  ['Bob "The \\"Man\\"" Smith <bob@example.org>', '"Bob The \\"Man\\" Smith" <bob@example.org>'],
])('the words of a name: %j', async (to, written) => {
  expect(head(await read(await mailOf({ ...composed, to })))).toContain(`\r\nTo: ${written}\r\n`);
});

test.each(['"\\" ', '" \\', '\\ " ', '" '])('a name of many quotation marks takes no long: %j', async (piece) => {
  await takesNoTime(() => mailOf({ ...composed, to: `"${piece.repeat(50_000)}"x <bob@example.org>` }).catch(() => undefined));
});

test('blanks at the end of a name are kept, where it is quoted', async () => {
  const content = await read(await mailOf({ ...composed, to: { name: 'Bob. ', address: 'bob@example.org' }, attachments: [{ filename: 'a.txt ', content: 'a' }] }));
  expect(head(content)).toContain('To: "Bob. " <bob@example.org>');
  expect(content).toContain('filename="a.txt "');
});

test.each<[string, unknown]>([
  ['alternatives', [{ content: 'evil' }]], ['icalEvent', 'evil'], ['watchHtml', 'evil'], ['amp', 'evil'], ['boundaryPrefix', 'evil'], ['normalizeHeaderKey', () => 'evil'], ['raw', 'evil'],
])('%s of a polluted Object.prototype is no field of a message', async (name, value) => {
  const mail = await mailOf({ ...composed, html: 'x', attachments: [{ content: 'a' }] });
  const opened = { ...mail, open: () => {
    Object.defineProperty(Object.prototype, name, { value, writable: true, configurable: true });
    try {
      return mail.open();
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
  } };
  const content = await read(opened);
  expect(head(content)).toMatch(/^From: ann@example\.com\r\nTo: bob@example\.org\r\n/m);
  // Those parts that the composer makes itself are out of reach.
  if (name !== 'raw') expect(content).not.toMatch(/evil|ZXZpb/);
});
