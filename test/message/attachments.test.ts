import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { isObservable, of } from 'rxjs';
import { expect, test } from 'vitest';
import { draft } from '../../src/message/mail.js';
import type { Attachment, ComposedMessage } from '../../src/message/message.js';
import { mailOf, read } from '../support/drafted.js';

const composed = { from: 'ann@example.com', to: 'bob@example.com' };

test('an attachment without a name gets one', async () => {
  const types = [undefined, 'image/png', 'application/octet-stream', 'Application/Octet-Stream', 'application/octet-stream ; x=y', 'application/octet-stream-x', 'text/calendar; method=REQUEST; charset=utf-8', 'application/pdf;x=y', 'message/rfc822'];
  const text = await read(await mailOf({ ...composed, attachments: [{ content: 'x', filename: '' }, ...types.map((contentType) => ({ content: 'x', contentType }))] }));
  expect(text.match(/filename=\S+/g)?.map((name) => name.replace('filename=attachment-', ''))).toEqual(['1', '2', '3.png', '4', '5', '6', '7.bin', '8.ics', '9.pdf']);
});

test('an attached string that is text says that it is UTF-8, unless its type tells', async () => {
  const content = 'Gr\u00fc\u00dfe';
  const attachments: ComposedMessage['attachments'] = [
    { filename: 'a.csv', content }, { filename: 'b', content, contentType: 'text/html;' }, { filename: 'c.csv', content: 'ascii', contentType: 'text/csv; Charset=us-ascii' },
    { filename: 'd.csv', content: Buffer.from(content) }, { filename: 'e.bin', content }, { filename: 'f.csv', content: Buffer.from(content, 'latin1'), contentType: 'text/csv; charset=iso-8859-1' },
  ];
  const typesOf = async (given: ComposedMessage['attachments']) => (await read(await mailOf({ ...composed, attachments: given }))).match(/(?<=^Content-Type: )(?!multipart).*?(?=; name)/gm);
  expect(await typesOf(attachments)).toEqual(['text/csv; charset=utf-8', 'text/html; charset=utf-8', 'text/csv; charset=us-ascii', 'text/csv', 'application/octet-stream', 'text/csv; charset=iso-8859-1']);
  expect(await typesOf(attachments.slice(0, 1))).toEqual(['text/csv; charset=utf-8']);
});

test('an attached message is an attachment, and goes out as it is or encoded as bytes', async () => {
  const [content, filename] = [`Subject: a\r\n\r\n${'y'.repeat(1500)}`, 'a.eml'];
  const attachments = [{ filename, content, cid: 'a' }, { filename, content, contentType: 'application/octet-stream' }, { content, contentType: 'message/rfc822', contentDisposition: 'inline' }];
  const text = await read(await mailOf({ ...composed, attachments }));
  expect(text.match(/(?<=^Content-Disposition: )\w+/gm)).toEqual(['attachment', 'attachment', 'inline']);
  expect(text.match(/(?<=^Content-Transfer-Encoding: )\w+/gm)).toEqual(['8bit', '8bit', 'base64', '8bit']);
});

test('large bytes are encoded piece by piece', async () => {
  const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251));
  const content = (await mailOf({ ...composed, attachments: [{ filename: 'a.csv', content: bytes }] })).open();
  if (content.kind !== 'stream') throw new Error('It is at hand.');
  const pieces: Buffer[] = [];
  for (let next = await content.chunks.next(); next.done !== true; next = await content.chunks.next()) pieces.push(Buffer.from(next.value));
  const encoded = /(?<=\r\n\r\n)[\w+/=\r\n]{9999,}/.exec(Buffer.concat(pieces).toString('latin1'))?.[0] ?? '';
  expect(Buffer.from(encoded, 'base64').equals(bytes)).toBe(true);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(100_000);
});

test.each(['access.log.gzip', 'gzip', 'x.GZIP ', 'page.mht', 'page.MHTML', 'x.mime', 'x.nws', 'eml', 'x.eml?y=z'])('a file by the name %j goes out encoded, whatever its bytes are', async (filename) => {
  const content = Buffer.from([0, 10, 13, 65, 10, 255]);
  const [, part = ''] = (await read(await mailOf({ ...composed, text: 'x', attachments: [{ filename, content }] }))).split(/(?=^Content-Type: application\/octet-stream;)/m);
  expect(part).toContain(`Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename`);
  expect(part).toContain(`\r\n\r\n${content.toString('base64')}\r\n`);
});

test('a type that is given for a file is kept, and an .eml is a message', async () => {
  const attachments = [{ filename: 'a.gzip', content: 'x', contentType: 'application/gzip' }, { filename: 'page.mht', content: 'x', contentType: 'message/rfc822' }, { filename: 'X.EML', content: 'x' }];
  const text = await read(await mailOf({ ...composed, attachments }));
  expect(text.match(/(?<=^Content-Type: )(?!multipart).*?(?=; name)/gm)).toEqual(['application/gzip', 'message/rfc822', 'message/rfc822']);
});

test('a source may use its memory again for the next chunk', async () => {
  const content = async function* () {
    const memory = Buffer.alloc(10);
    for (const letter of 'ABCDE') yield await Promise.resolve(memory.fill(letter).subarray(0, 10));
  };
  expect(await read(await mailOf({ ...composed, attachments: [{ content }] }))).toContain(Buffer.from('ABCDE'.replace(/./g, (letter) => letter.repeat(10))).toString('base64'));
});

// The root has its Content-Type last.
test.each<[string, ComposedMessage['attachments'], string]>([
  ['ASCII', [{ filename: 'a.eml', content: 'Subject: a' }], 'mixed alternative'],
  ['of 8 bits', [{ filename: 'a.eml', content: 'Subject: \u00e4' }], '8bit mixed alternative 8bit'],
  ['a stream, which may hold anything', [{ filename: 'a.eml', content: of('Subject: a') }], '8bit mixed alternative 8bit'],
  ['of 8 bits, and shown by the HTML', [{ filename: 'a.eml', cid: 'a', content: 'Subject: \u00e4' }], '8bit alternative related 8bit 8bit'],
])('what holds an attached message is labelled as that is: %s', async (_, attachments, labels) => {
  const text = await read(await mailOf({ ...composed, text: 'x', html: 'x', attachments }));
  expect(text.match(/(?<=^Content-Type: multipart\/)\w+|(?<=^Content-Transfer-Encoding: )8bit/gm)?.join(' ')).toBe(labels);
});

test.each<[string, () => Attachment['content'], string, boolean]>([
  ['breaks', () => (async function* () { yield await Promise.resolve('a'); throw new Error('broken'); })(), 'attachments[1]: broken', true],
  ['is not there', () => createReadStream('/nonexistent'), 'attachments[1]: ENOENT', true],
  ['cannot be opened', () => () => { throw new Error('no row'); }, 'no row', true],
  ['gives what is no content', () => of(5) as never, 'attachments[1]: A chunk of the content is neither', false],
])('an attachment that %s fails the mail, and is named', async (_, content, message, retryable) => {
  await expect(read(await mailOf({ ...composed, attachments: [{ content: 'a' }, { content: content() }] }))).rejects.toMatchObject({ message: expect.stringContaining(message) as string, retryable });
});

test('an attachment that was read before is told before anything is composed', async () => {
  const content = Readable.from(['x']);
  const message = { ...composed, attachments: [{ content: 'a' }, { content }] };
  await read(await mailOf(message));
  const again = await mailOf(message);
  expect(() => again.open()).toThrow('The content of attachments[1] can be read only once');
});

test('one Observable may be two attachments', async () => {
  const content = of('x');
  expect((await read(await mailOf({ ...composed, attachments: [{ content }, { content }] }))).match(/^eA==/gm)).toHaveLength(2);
});

test('every attachment stream is destroyed, wherever it stops', async () => {
  for (const stopAfter of [0, 1, 3]) {
    const streams = [new PassThrough(), new PassThrough()];
    streams[0]!.write('a'.repeat(1000));
    const mail = await mailOf({ ...composed, text: 'x', attachments: streams.map((content) => ({ content })) });
    const content = mail.open();
    if (content.kind !== 'stream') throw new Error('no stream');
    for (let count = 0; count < stopAfter; count += 1) void content.chunks.next().catch(() => undefined);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    content.dispose();
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  }
  const streams = [new PassThrough(), new PassThrough()];
  (await mailOf({ ...composed, attachments: streams.map((content) => ({ content })) })).discard();
  expect(streams.every(({ destroyed }) => destroyed)).toBe(true);
});

test('an attachment stream is destroyed by who cancels while the composer loads', () => {
  const content = new PassThrough();
  const drafted = draft({ ...composed, attachments: [{ content }] });
  if (!isObservable(drafted)) throw new Error('no composed message');
  drafted.subscribe().unsubscribe();
  expect(content.destroyed).toBe(true);
});
