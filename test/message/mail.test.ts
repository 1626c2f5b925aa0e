import { build } from 'esbuild';
import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { of } from 'rxjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { draft } from '../../src/message/mail.js';
import type { ComposedMessage, Message } from '../../src/message/message.js';
import { failure, head, mailOf, only, read } from '../support/drafted.js';
import { foreignBytes, foreignDate } from '../support/foreign.js';

const envelope = { from: 'ann@example.com', to: ['bob@example.com'] };

describe('raw', () => {
  test.each<[string | Uint8Array, string | undefined]>([
    ['Message-ID: <a@b>\r\n\r\nx', '<a@b>'],
    ['From: a\nMESSAGE-ID :\n <a@b>\n\nx', '<a@b>'],
    [Buffer.from('Message-Id:\r\n\t<a@b>\r\nX: y\r\n\r\n'), '<a@b>'],
    ['From: a\r\n\r\nMessage-ID: <a@b>\r\n', undefined],
    ['\r\nMessage-ID: <a@b>\r\n', undefined],
    [`X: ${'y'.repeat(70_000)}\r\nMessage-ID: <a@b>\r\n\r\n`, undefined],
    ['X: Message-ID: <a@b>\r\n\r\n', undefined],
    [Buffer.from(`X: ${'y'.repeat(70_000)}\r\nMessage-ID: <a@b>\r\n\r\n`), undefined],
    [Buffer.from('From: a\nMessage-ID: <a@b>\n\nx'), '<a@b>'],
    [Buffer.from('From: a\n\nMessage-ID: <a@b>\n'), undefined],
  ])('finds the Message-ID of %j', async (raw, messageId) => {
    expect((await mailOf({ envelope, raw })).messageId).toBe(messageId);
  });

  test('bytes and dates of another realm are as good as any', async () => {
    expect((await mailOf({ envelope, raw: foreignBytes('Message-ID: <a@b>\r\n\r\n') })).messageId).toBe('<a@b>');
    const mail = await mailOf({ ...composed, date: foreignDate(), attachments: [{ content: foreignBytes('abc') }] });
    expect(mail).toMatchObject({ atLeast: 3 });
    expect(mail.open().kind).toBe('bytes');
    expect(await read(mail)).toContain('Date: Thu, 01 Jan 1970');
  });

  test('carries what was asked', async () => {
    const dsn = { ret: 'HDRS', envid: 'a b', notify: ['FAILURE'] };
    const mail = await mailOf({ envelope, raw: () => 'x', size: 1, binary: true, smtpUtf8: true, dsn, requireTls: true });
    expect(mail).toMatchObject({ size: 1, binary: true, utf8: true, dsn, requireTls: true, replayable: true, messageId: undefined });
    expect(await read(mail) + await read(mail)).toBe('xx');
  });

  test('a stream that is never opened is destroyed', async () => {
    const stream = new PassThrough();
    (await mailOf({ envelope, raw: stream })).discard();
    expect(stream.destroyed).toBe(true);
    const refused = new PassThrough();
    await failure({ envelope, raw: refused, size: -1 });
    expect(refused.destroyed).toBe(true);
  });

  test('a second try of a stream says what is wrong', async () => {
    const drafted = draft({ envelope, raw: Readable.from(['x']) });
    await read(await only(drafted));
    const again = await only(drafted);
    expect(() => again.open()).toThrow('only once');
  });

  test('a missing file does not crash', async () => {
    const mail = await mailOf({ envelope, raw: createReadStream('/nonexistent/file') });
    await expect(read(mail)).rejects.toThrow('ENOENT');
  });
});

const base = { envelope, raw: 'x' };
const composed = { from: 'ann@example.com', to: 'bob@example.com' };
const SHARED = Readable.from(['x']);
test.each<[string, unknown, string]>([
  ['nothing', undefined, 'must be an object'],
  ['headers that are no object', { from: 'ann@example.com', to: 'bob@example.org', text: 'x', headers: new Headers({ 'X-Campaign': '42' }) }, 'must be a plain object'],
  ['unknown key', { ...base, enevlope: 1 }, 'Did you mean "envelope"?'],
  ['composed key in raw', { ...base, subject: 'a' }, '"subject" belongs to composed'],
  ['later key', { ...base, dkim: {} }, '"dkim" is not supported yet'],
  ['own __proto__', JSON.parse('{"raw":"x","__proto__":{"envelope":{}}}'), '"__proto__"'],
  ['inherited envelope', Object.assign(Object.create({ envelope }) as object, { raw: 'x' }), '"envelope" is missing'],
  ['raw of a number', { envelope, raw: 5 }, '"raw"'],
  ['raw of nothing', { envelope, raw: undefined }, 'The message field "raw" is missing.'],
  ['raw beside a sender', { ...composed, raw: 'x' }, '"from" belongs to composed'],
  ['raw of nothing, and nothing else', { raw: undefined }, 'The message field "raw" is missing.'],
  ['a promise', Promise.resolve(base), 'The message fields must be an object, and no promise: await it.'],
  ['an Observable', of(base), 'The message fields must be an object, and no Observable.'],
  ['subject of a promise', { ...composed, subject: Promise.resolve('a') }, '"subject" must be a string, and no promise: await it.'],
  ['raw of null', { envelope, raw: null }, '"raw"'],
  ['raw of what only looks like a stream', { envelope, raw: { [Symbol.asyncIterator]: 1 } }, '"raw"'],
  ['raw path', { envelope, raw: { path: '/etc/passwd' } }, '"raw"'],
  ['size', { ...base, size: 1.5 }, '"size"'],
  ['size below zero', { ...base, size: -1 }, '"size"'],
  ['binary', { ...base, binary: 1 }, '"binary" must be true or false'],
  ['longLocalParts', { ...base, envelope: { ...envelope, longLocalParts: 'yes' } }, '"envelope.longLocalParts" must be true or false'],
  ['smtpUtf8', { ...base, smtpUtf8: 'yes' }, '"smtpUtf8" must be true or false'],
  ['smtpUtf8 of a composed message', { from: 'a@b.c', to: 'a@b.c', smtpUtf8: true }, '"smtpUtf8" belongs to raw messages'],
  ['requireTls', { ...base, requireTls: 'no' }, '"requireTls"'],
  ['dsn.ret', { ...base, dsn: { ret: 'full' } }, '"dsn.ret"'],
  ['dsn.envid', { ...base, dsn: { envid: 'a\r\nb' } }, '"dsn.envid"'],
  ['dsn.envid that is long when written', { ...base, dsn: { envid: '+'.repeat(34) } }, '"dsn.envid"'],
  ['dsn.notify', { ...base, dsn: { notify: ['NEVER', 'DELAY'] } }, 'stands alone'],
  ['a getter that throws', { get raw(): never { throw new Error('asked'); } }, 'one of its properties throws: asked.'],
  ['an unknown key beside a getter that throws', { bogus: 1, get raw() { throw new Error('asked'); } }, '"bogus"'],
  ['no recipients', { ...base, envelope: { from: 'a@b.c', to: [] } }, 'at least one'],
  ['too many recipients', { ...base, envelope: { from: 'a@b.c', to: new Array(10_001).fill('a@b.c') } }, '10000'],
  ['the empty reverse-path as it is written', { ...base, envelope: { from: '<>', to: ['a@b.c'] } }, 'or null for the empty reverse-path'],
  ['no envelope.from', { ...base, envelope: { to: ['a@b.c'] } }, '"envelope.from" is missing'],
  ['empty from', { ...base, envelope: { from: '', to: ['a@b.c'] } }, 'null for the empty'],
  ['bad recipient', { ...base, envelope: { from: 'a@b.c', to: ['a@b.c', 'x>\r\nRCPT'] } }, 'envelope.to[1]'],
  ['bad orcpt', { ...base, envelope: { from: 'a@b.c', to: [{ address: 'a@b.c', orcpt: 'a' }] } }, 'orcpt'],
  ['orcpt that is long when written', { ...base, envelope: { from: 'a@b.c', to: [{ address: 'a@b.c', orcpt: `rfc822;${'+'.repeat(165)}` }] } }, 'more than 500'],
  ['bad notify', { ...base, envelope: { from: 'a@b.c', to: [{ address: 'a@b.c', notify: [] }] } }, 'notify'],
  ['notify of a word', { ...base, envelope: { from: 'a@b.c', to: [{ address: 'a@b.c', notify: 'NEVER' }] } }, 'must be a list of NEVER'],
  ['recipient without an address', { ...base, envelope: { from: 'a@b.c', to: [{ notify: ['NEVER'] }] } }, '"envelope.to[0].address" is missing'],
  ['unknown recipient key', { ...base, envelope: { from: 'a@b.c', to: [{ address: 'a@b.c', notfy: [] }] } }, 'Did you mean "envelope.to[0].notify"?'],
  ['composed without recipients', { from: 'a@b.c' }, 'no recipient'],
  ['composed without from', { to: 'a@b.c' }, '"from" is missing'],
  ['unknown composed key', { ...composed, sbject: 'a' }, 'Did you mean "subject"?'],
  ['cc of null', { ...composed, cc: null }, '"cc" must be an object with an "address", or a string'],
  ['from a list', { ...composed, from: ['a@b.c'] }, '"from" must be an object with an "address", or a string'],
  ['subject', { ...composed, subject: 'a\r\nBcc: evil' }, '"subject" holds a line break'],
  ['subject NUL', { ...composed, subject: 'a\0' }, '"subject"'],
  ['subject in one word', { ...composed, subject: `see ${'x'.repeat(900)}` }, 'Shorten it, or part it with blanks'],
  ['surrogate', { ...composed, subject: 'a\ud800' }, 'surrogate'],
  ['subject object', { ...composed, subject: { toString: () => 'a' } }, '"subject" must be a string'],
  ['name', { ...composed, from: { name: 'a\nb', address: 'a@b.c' } }, '"from.name"'],
  ['address list of many', { ...composed, to: '@ '.repeat(80_000) }, 'longer than'],
  ['address list of many in a name', { ...composed, to: `${'@ '.repeat(80_000)}<<a@b.c>` }, 'more than one address'],
  ['subject of long words', { ...composed, subject: `${`${'x'.repeat(899)} `.repeat(2_000)}${'x'.repeat(900)}` }, 'Shorten it'],
  ['address list in one', { ...composed, to: 'a@b.c, d@e.f' }, 'more than one address'],
  ['address list with names in one', { ...composed, to: 'Ann <a@b.c>, Bob <d@e.f>' }, '"to" holds more than one address'],
  ['address list with one name in one', { ...composed, bcc: ['a@b.c; Bob <d@e.f>'] }, '"bcc[0]" holds more than one address'],
  ['address list with one name in front', { ...composed, to: 'Ann Lee <a@b.c>, d@e.f' }, '"to" holds more than one address'],
  ['name without an address', { ...composed, from: 'My Shop' }, '"from" has no "@".'],
  ['angle bracket that is not closed', { ...composed, to: 'John <john@b.c' }, '"to" must end with its address in angle brackets'],
  ['angle bracket with more behind it', { ...composed, to: '"John" <john@b.c>,' }, '"to" must end with its address in angle brackets'],
  ['comma at the end', { ...composed, to: 'a@b.c,' }, '"to" holds a comma or semicolon. Remove it, or write a dot.'],
  ['comma for a dot', { ...composed, to: 'john@b,c' }, '"to" holds a comma or semicolon. Remove it, or write a dot.'],
  ['comma for a dot in an envelope', { ...base, envelope: { from: 'john@b,c', to: ['a@b.c'] } }, '"envelope.from" holds a comma or semicolon.'],
  ['quoted names in one', { ...composed, from: '"Ann" <a@b.c>, "Bob" <d@e.f>' }, '"from" holds more than one address'],
  ['name of quotation marks', { ...composed, to: { name: '"'.repeat(600), address: 'a@b.c' } }, '"to.name" holds a word of 900'],
  ['name of quotation marks before an address', { ...composed, to: { name: `a${'"'.repeat(600)}`, address: 'a@b.c' } }, '"to.name" holds a word of 900'],
  ['filename of backslashes', { ...composed, attachments: [{ content: '', filename: '\\'.repeat(600) }] }, '"attachments[0].filename" holds a word'],
  ['angle brackets in a quoted address', { ...composed, cc: ['"a<b>"@example.com'] }, '"cc[0]" holds an angle bracket'],
  ['references with a blank in one', { ...composed, references: '<a b@c>' }, '"references" holds an identifier with a blank'],
  ['date out of range', { ...composed, date: new Date(-1e15) }, '1900 to 9999'],
  ['date far ahead', { ...composed, date: new Date(Date.UTC(10_000, 0)) }, '1900 to 9999'],
  ['contentType with half a parameter', { ...composed, attachments: [{ content: '', contentType: 'image/png; "' }] }, '"attachments[0].contentType"'],
  ['header name', { ...composed, headers: { 'X: y': 'a' } }, 'header field name'],
  ['header value', { ...composed, headers: { 'X-A': ['a', 'b\nc'] } }, '"headers.X-A"'],
  ['header with a name beside an address', { ...composed, headers: { 'Disposition-Notification-To': 'J\u00fcrgen <a@b.c>' } }, 'as an encoded word'],
  ['header with a URL that is not ASCII', { ...composed, headers: { 'List-Unsubscribe': '<https://example.com/\u00fc>' } }, 'a URL percent-encoded'],
  ['header without a value', { ...composed, headers: { 'X-A': ' ' } }, '"headers.X-A" is empty'],
  ['name that is read backwards', { ...composed, from: 'a\u202eb <ann@example.com>' }, '"from" holds a character that turns'],
  ['file name that is read backwards', { ...composed, attachments: [{ filename: 'invoice\u202efdp.exe', content: '' }] }, '"attachments[0].filename" holds a character that turns'],
  ['attached header of the message', { ...composed, attachments: [{ content: '', headers: { Date: 'x' } }] }, '"Date" does not belong in "attachments[0].headers"'],
  ['header of blanks', { ...composed, subject: `a${' '.repeat(76)}b` }, '"subject" holds 76 blanks'],
  ['header bcc', { ...composed, headers: { bcc: 'a@b.c' } }, '"bcc" does not belong'],
  ['messageId', { ...composed, messageId: '<a@b>\n' }, '"messageId"'],
  ['messageId form', { ...composed, messageId: 'a b@c' }, '"messageId"'],
  ['messageId with more behind it', { ...composed, messageId: '<a@b>c' }, '"messageId"'],
  ['messageId with more before it', { ...composed, messageId: 'c<a@b>' }, '"messageId"'],
  ['references', { ...composed, references: ['<a@b>', '<ä@b>'] }, '"references"'],
  ['references with a line break', { ...composed, references: ['<a@b>\r\nBcc: evil'] }, '"references[0]"'],
  ['inReplyTo', { ...composed, inReplyTo: ' ' }, '"inReplyTo"'],
  ['references without one', { ...composed, references: [''] }, '"references"'],
  ['alternatives', { ...composed, alternatives: [] }, 'send its bytes as "raw"'],
  ['list', { ...composed, list: {} }, '"list" is part of "headers" here'],
  ['priority', { ...composed, priority: 'high' }, '"priority" is part of "headers" here: { "X-Priority": "1 (Highest)"'],
  ['alternatives of raw', { ...base, alternatives: [] }, 'send its bytes as "raw"'],
  ['dkim', { ...composed, dkim: {} }, 'not supported yet. Have nodemailer sign'],
  ['signal', { ...composed, signal: 1 }, 'unsubscribing cancels, as takeUntil('],
  ['signal of raw', { ...base, signal: 1 }, 'unsubscribing cancels, as takeUntil('],
  ['textEncoding', { ...composed, textEncoding: 'base64' }, '"textEncoding" has no counterpart'],
  ['attachment contentTransferEncoding', { ...composed, attachments: [{ content: '', contentTransferEncoding: '7bit' }] }, 'attachments go out in base64'],
  ['date', { ...composed, date: 'now' }, '"date"'],
  ['attachments that are one', { ...composed, attachments: { content: '' } }, '"attachments" must be a list'],
  ['attachment path', { ...composed, attachments: [{ path: '/etc/passwd' }] }, 'no file or URL is ever opened. Pass a stream as "content", and its name as "filename".'],
  ['attachment href', { ...composed, attachments: [{ href: 'http://x' }] }, '"attachments[0].href" is refused'],
  ['attachment encoding', { ...composed, attachments: [{ content: 'aGk=', encoding: 'base64' }] }, 'Buffer.from(text, "base64")'],
  ['dsn as another client calls it', { ...composed, dsn: { return: 'headers' } }, '"dsn.return" is called "ret" here'],
  ['dsn.recipient', { ...base, dsn: { recipient: 'rfc822;bob@example.org' } }, '"dsn.recipient" is "orcpt" of a recipient in "envelope.to" here'],
  ['attachment content', { ...composed, attachments: [{ content: { path: '/etc/passwd' } }] }, '"attachments[0].content"'],
  ['attachment content of a promise', { ...composed, attachments: [{ content: Promise.resolve('x') }] }, 'or a function that gives one, and no promise: await it.'],
  ['attachment without content', { ...composed, attachments: [{ filename: 'a' }] }, '"attachments[0].content" is missing.'],
  ['another name for the text', { ...composed, body: 'x' }, 'Unknown message field "body". Known: from, sender, to, cc, bcc, replyTo, subject, text, html,'],
  ['attachment key', { ...composed, attachments: [{ content: '', filname: 'a' }] }, 'Did you mean "attachments[0].filename"?'],
  ['filename', { ...composed, attachments: [{ content: '', filename: 'a\r\nb' }] }, '"attachments[0].filename"'],
  ['cid', { ...composed, attachments: [{ content: '', cid: 'a>b' }] }, '"attachments[0].cid"'],
  ['contentType', { ...composed, attachments: [{ content: '', contentType: 'multipart/mixed' }] }, '"attachments[0].contentType"'],
  ['a charset that a string does not have', { ...composed, attachments: [{ content: 'a', contentType: 'text/plain; format=flowed; Charset="ISO-8859-1"' }] }, 'give the bytes as "content": Buffer.from(text, "latin1")'],
  ['US-ASCII for text that is not', { ...composed, attachments: [{ content: 'Gr\u00fc\u00dfe', contentType: 'text/csv; charset=us-ascii' }] }, '"attachments[0].contentType" names a charset'],
  ['an attachment that is read by another one', { ...composed, attachments: [{ content: SHARED }, { content: 'a' }, { content: SHARED }] }, '"attachments[2].content" is the content of another attachment'],
  ['disposition', { ...composed, attachments: [{ content: '', contentDisposition: 'x' }] }, '"attachments[0].contentDisposition"'],
  ['attachment header', { ...composed, attachments: [{ content: '', headers: { 'Content-Type': 'a/b' } }] }, '"Content-Type" does not belong'],
])('refuses %s as a notification', async (_, message, text) => {
  const error = await failure(message);
  expect(error.message).toContain(text);
  expect(error.message).not.toContain('evil');
});

describe('composed', () => {
  const message = (): Message => ({
    from: { name: 'Ann "A" M\u00fcller', address: 'ann@example.com' },
    to: ['Bob <bob@example.com>', '"Carl, C." <carl@example.com>'],
    cc: 'bob@example.com',
    bcc: [{ address: 'secret@example.com' }],
    subject: 'Gr\u00fc\u00dfe',
    text: 'plain',
    html: '<p>rich <img src="cid:logo"></p>',
    headers: { 'X-Tag': ['one', 'two'] },
    attachments: [
      { filename: 'logo.png', cid: 'logo', content: Buffer.from('png') },
      { filename: 'a.txt', content: 'text' },
      { filename: 'b.txt', content: Readable.from(['stream']) },
      { filename: 'c.txt', content: (async function* () { yield await Promise.resolve('iterated'); })() },
      { filename: 'd.txt', content: of('obs', Buffer.from('erved')) },
      { filename: 'e.txt', content: () => Readable.from(['again']) },
    ],
  });

  test('holds its parts, and no trace of Bcc', async () => {
    const mail = await mailOf(message());
    expect(mail.envelope.envelope).toEqual({ from: 'ann@example.com', to: ['bob@example.com', 'carl@example.com', 'secret@example.com'] });
    expect(mail).toMatchObject({ replayable: false, size: undefined });
    const text = await read(mail);
    expect(text).not.toMatch(/^bcc|secret@/im);
    expect(head(text)).toContain(`Message-ID: ${mail.messageId ?? ''}`);
    expect(head(text)).toMatch(/^X-Tag: one\r\nX-Tag: two/m);
    expect(head(text)).toContain('"Carl, C." <carl@example.com>');
    expect(text).toMatch(/multipart\/mixed[^]*multipart\/alternative[^]*text\/plain[^]*multipart\/related[^]*text\/html/);
    expect(text).toMatch(/^content-id: <logo>/im);
    for (const part of ['png', 'text', 'stream', 'iterated', 'observed', 'again']) expect(text).toContain(Buffer.from(part).toString('base64'));
  });

  test('keeps Message-ID and Date from one try to the next', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-02T03:04:05Z') });
    const send = draft({ from: 'Ann <ann@example.com>', to: 'bob@example.com', text: 'x', attachments: [{ content: () => 'y' }] });
    vi.setSystemTime(new Date('2026-02-02T00:00:00Z'));
    const [first, second] = [await only(send), await only(send)];
    expect(first.messageId).toMatch(/^<[0-9a-f]{32}@example\.com>$/);
    expect(second.messageId).toBe(first.messageId);
    expect(first.replayable).toBe(true);
    for (const text of [await read(first), await read(first), await read(second)]) {
      expect(head(text)).toContain('Date: Fri, 02 Jan 2026 03:04:05 +0000');
      expect(head(text)).toContain(first.messageId);
    }
  });

  test('takes an envelope, a Message-ID and a date', async () => {
    const mail = await mailOf({ ...composed, envelope: { from: null, to: ['x@example.com'] }, messageId: 'id@example.com', date: new Date(0), inReplyTo: '<a@b.c>', references: ['<a@b.c>'], replyTo: 'r@example.com' });
    expect(mail.envelope.from).toBeNull();
    const text = await read(mail);
    expect(head(text)).toContain('Message-ID: <id@example.com>');
    for (const field of ['Thu, 01 Jan 1970 00:00:00 +0000', 'In-Reply-To: <a@b.c>', 'References: <a@b.c>', 'Reply-To: r@example.com']) expect(head(text)).toContain(field);
  });

  test.each<[Partial<ComposedMessage>, string]>([
    [{ messageId: '<id@example.com>' }, 'Message-ID: <id@example.com>'],
    [{ inReplyTo: 'abcdef' }, 'In-Reply-To: <abcdef>'],
    [{ inReplyTo: '<a@b.c> <"d e"@f.g>' }, 'In-Reply-To: <a@b.c> <"d e"@f.g>'],
    [{ references: '<a@b.c> d@e.f' }, 'References: <a@b.c> <d@e.f>'],
    [{ references: ['<a@b.c>', '<no-at>'] }, 'References: <a@b.c> <no-at>'],
    [{ headers: { 'X-A': undefined, 'X-B': 'b' } as unknown as Record<string, string> }, 'X-B: b'],
    [{ raw: undefined, size: undefined } as Partial<ComposedMessage>, 'From: ann@example.com'],
    [{ to: 'Doe, John <john@example.com>' }, 'To: "Doe, John" <john@example.com>'],
    [{ to: 'bob@example.com <bob@example.com>' }, 'To: "bob@example.com" <bob@example.com>'],
  ])('takes what stands in other mails: %j', async (given, field) => {
    expect(head(await read(await mailOf({ ...composed, to: 'bob@example.com', text: 'x', ...given })))).toContain(field);
  });

  test.each(['references', 'inReplyTo'])('an empty list of %s is none', async (field) => {
    expect(head(await read(await mailOf({ ...composed, [field]: [] })))).not.toMatch(/^(?:References|In-Reply-To):/im);
  });

  test.each(['text', 'html'])('lines of its %s end in CRLF, encoded or not', async (field) => {
    for (const word of ['\u041f\u0440\u0438\u0432\u0435\u0442', 'Hi']) {
      const [, body = ''] = (await read(await mailOf({ ...composed, [field]: `${word}\n${word}\r\n${word}\r` }))).split('\r\n\r\n');
      expect(word === 'Hi' ? body : Buffer.from(body, 'base64').toString()).toBe(`${word}\r\n`.repeat(3));
    }
  });

  test('without nodemailer it says what to install', async () => {
    vi.resetModules();
    vi.doMock('nodemailer/lib/mail-composer', () => { throw new Error('not found'); });
    const { loadComposer } = await import('../../src/message/compose.js');
    await expect(loadComposer()).rejects.toThrow('npm install nodemailer@10.');
  });

  test('can be bundled by who has none', async () => {
    const missing = Object.fromEntries(['mail-composer', 'mime-funcs'].map((part) => [`nodemailer/lib/${part}`, './nowhere.js']));
    const { warnings } = await build({ entryPoints: ['src/message/compose.ts'], alias: missing, bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'silent' });
    expect(warnings.map(({ text }) => text)).toEqual([]);
  });
});

afterEach(() => { vi.useRealTimers(); vi.doUnmock('nodemailer/lib/mail-composer'); });

test.each<[string, number, string]>([['small', 100, 'bytes'], ['large', 100_000, 'stream']])('a %s message is composed by the time that it is sent, or while it is', async (_, characters, kind) => {
  const mail = await mailOf({ from: 'ann@example.com', to: 'bob@example.com', text: 'x'.repeat(characters), attachments: [{ content: 'x' }] });
  for (let count = 0; count < 2; count += 1) expect(mail.open().kind).toBe(kind);
});
