import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { NEVER, Observable, of, throwError } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { open, source, type Content, type OpenContent } from '../../src/message/content.js';

const all = async (content: OpenContent): Promise<string> => {
  if (content.kind === 'bytes') return content.bytes.toString();
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await content.chunks.next();
    if (chunk.done === true) return Buffer.concat(chunks).toString();
    chunks.push(Buffer.from(chunk.value as string));
  }
};

async function* generate(...chunks: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

test.each<[string, () => Content, OpenContent['kind']]>([
  ['a string', () => 'h\u00e9llo', 'bytes'],
  ['a view of bytes', () => new Uint8Array(Buffer.from('--h\u00e9llo--')).subarray(2, -2), 'bytes'],
  ['a Readable', () => Readable.from([Buffer.from('h\u00e9'), Buffer.from('llo')]), 'stream'],
  ['a Readable of strings', () => Readable.from(['h\u00e9', 'llo']), 'stream'],
  ['an async generator', () => generate('h\u00e9', Buffer.from('llo')), 'stream'],
  ['an Observable', () => of('h\u00e9', Buffer.from('llo')), 'stream'],
])('%s is read', async (_, content, kind) => {
  const direct = open(content());
  expect(direct.kind).toBe(kind);
  expect(await all(direct)).toBe('h\u00e9llo');
  expect(await all(open(content))).toBe('h\u00e9llo');
});

test('a web stream is read once, and cancelled where it never was', async () => {
  const webStream = (): ReadableStream<Uint8Array> => new Blob(['h\u00e9llo']).stream();
  expect(await all(open(webStream()))).toBe('h\u00e9llo');
  const read = webStream();
  await all(open(read));
  const locked = webStream();
  locked.getReader();
  const begun = webStream();
  const reader = begun.getReader();
  await reader.read();
  reader.releaseLock();
  for (const spent of [read, locked, begun]) expect(() => open(spent)).toThrow('read only once');
  let isCancelled = false;
  source(new ReadableStream({ cancel: () => { isCancelled = true; } })).discard();
  expect(isCancelled).toBe(true);
});

test('a web stream that waits for more is cancelled at once', async () => {
  const cancel = vi.fn();
  const content = open(new ReadableStream({ cancel }));
  if (content.kind !== 'stream') throw new Error('no stream');
  const waiting = content.chunks.next();
  content.dispose();
  expect(cancel).toHaveBeenCalledOnce();
  expect(await waiting).toMatchObject({ done: true });
});

test('a web stream is left unlocked, however it ends', async () => {
  const [read, left] = [new Blob(['a']).stream(), new ReadableStream<string>()];
  const broken = new ReadableStream<string>({ pull: (controller) => { controller.error(new Error('broken')); } });
  await all(open(read));
  await expect(all(open(broken))).rejects.toThrow('broken');
  open(left).dispose();
  await setImmediate();
  expect([read, broken, left].map(({ locked }) => locked)).toEqual([false, false, false]);
});

test('what sets a stream flowing before the first next() does not empty it', async () => {
  const [resumed, sniffed, ended] = [Readable.from(['a', 'b']), Readable.from(['a', 'b']), new PassThrough().end('ab')];
  const contents = [resumed, sniffed, ended].map((stream) => open(stream));
  resumed.resume();
  sniffed.on('data', () => undefined);
  ended.resume();
  await setImmediate();
  for (const content of contents) expect(await all(content)).toBe('ab');
});

test('an Observable that is left while it is subscribed to is left', async () => {
  const leave = vi.fn();
  const content: OpenContent = open(new Observable<string>(() => { content.dispose(); return leave; }));
  if (content.kind !== 'stream') throw new Error('no stream');
  expect(await content.chunks.next()).toMatchObject({ done: true });
  expect(leave).toHaveBeenCalledOnce();
});

test('whatever a content throws is E_SOURCE, and nothing is left unhandled', () => {
  const nameless = Object.create(null) as object;
  const contents: readonly (() => Content)[] = [
    () => { throw nameless as Error; }, () => ({ [Symbol.asyncIterator]: () => { throw new Error('no'); } }), (() => Promise.reject(new Error('late'))) as never,
  ];
  for (const content of contents) expect(() => open(content)).toThrow(expect.objectContaining({ code: 'E_SOURCE', outcome: 'not-sent', retryable: !String(content).includes('Promise') }));
});

test('a character that two chunks share is one character', async () => {
  expect(await all(open(generate('a\ud83d', '\ude00b')))).toBe('a\u{1f600}b');
  expect(await all(open(generate('a\ud83d', Buffer.from('b'))))).toBe('a\ufffdb');
  expect(await all(open(generate('a\ud83d')))).toBe('a\ufffd');
});

test.each([42, null, {}, []])('a chunk %j is refused', async (chunk) => {
  const contents: Content[] = [of(chunk) as never, generate(chunk as never)];
  for (const content of contents) await expect(all(open(content))).rejects.toMatchObject({ code: 'E_SOURCE', retryable: false });
});

test('a missing file does not end the process and is told by the first next()', async () => {
  const file = createReadStream('/nonexistent/file');
  const kept = source(file);
  await new Promise<void>((resolve) => { file.once('close', () => { resolve(); }); });
  await expect(all(kept.open())).rejects.toThrow('ENOENT');
});

test('an error in the middle rejects', async () => {
  await expect(all(open(throwError(() => new Error('broken'))))).rejects.toThrow('broken');
  await expect(all(open(Readable.from((async function* () { yield await Promise.resolve('a'); throw new Error('broken'); })())))).rejects.toThrow('broken');
});

test('dispose destroys a Readable, read or not', async () => {
  for (const read of [false, true]) {
    const stream = new PassThrough();
    stream.write('a');
    const content = open(stream);
    if (read && content.kind === 'stream') await content.chunks.next();
    content.dispose();
    content.dispose();
    expect(stream.destroyed).toBe(true);
  }
});

test('dispose ends an iterator without waiting, and whatever it throws', () => {
  const end = vi.fn(() => { throw new Error('clean-up'); });
  open({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined), return: end }) }).dispose();
  expect(end).toHaveBeenCalledOnce();
});

test.each<[string, () => Promise<IteratorResult<string>>, number]>([
  ['has ended', () => Promise.resolve({ done: true, value: undefined }), 0],
  ['has failed', () => Promise.reject(new Error('disk')), 0],
  ['gave what is none', () => Promise.resolve({ done: false, value: 1 as never }), 1],
  ['goes on', () => Promise.resolve({ done: false, value: 'a' }), 1],
  ['is still asked', () => new Promise<never>(() => undefined), 1],
])('of a source that %s, return() is called as "for await" calls it, however often it is disposed of', async (how, next, times) => {
  const end = vi.fn((): Promise<IteratorResult<string>> => Promise.resolve({ done: true, value: undefined }));
  const content = open({ [Symbol.asyncIterator]: () => ({ next, return: end }) });
  if (content.kind === 'bytes') throw new Error('bytes');
  const first = content.chunks.next().catch(() => undefined);
  if (how !== 'is still asked') await first;
  content.dispose();
  await content.chunks.return?.();
  content.dispose();
  expect(end).toHaveBeenCalledTimes(times);
});

test('an Observable is subscribed to by the first next() and left by return()', async () => {
  const [subscribe, leave] = [vi.fn(), vi.fn()];
  const content = open(new Observable<string>((subscriber) => { subscribe(); subscriber.next('a'); subscriber.next('b'); return leave; }));
  expect(subscribe).not.toHaveBeenCalled();
  if (content.kind !== 'stream') throw new Error('no stream');
  expect(await content.chunks.next()).toEqual({ done: false, value: 'a' });
  await content.chunks.return?.();
  expect(leave).toHaveBeenCalledOnce();
  expect(await content.chunks.next()).toMatchObject({ done: true });
});

test('a waiting next() ends when its Observable is disposed of', async () => {
  const content = open(NEVER);
  if (content.kind !== 'stream') throw new Error('no stream');
  const waiting = content.chunks.next();
  content.dispose();
  expect(await waiting).toMatchObject({ done: true });
});

test('what can be read once is read once', async () => {
  const stream = Readable.from(['a']);
  const kept = source(stream);
  expect(kept.replayable).toBe(false);
  await all(kept.open());
  expect(() => kept.open()).toThrow('only once');
  expect(() => open(stream)).toThrow('only once');
  expect(source(() => 'a').replayable && source('a').replayable && source(new Uint8Array(1)).replayable).toBe(true);
  expect(() => source(() => stream).open()).toThrow('only once');
});

test('a stream that was read elsewhere, if only in part, is refused', async () => {
  const [sniffed, piped, ended] = [Readable.from(['a', 'b']), Readable.from(['a', 'b']), Readable.from(['a']).resume()];
  const [unread, failed] = [Readable.from(['a']), createReadStream('/nonexistent/file')];
  piped.pipe(new PassThrough());
  await Promise.all([once(sniffed, 'data'), once(piped, 'data'), once(ended, 'end'), once(failed, 'error')]);
  sniffed.pause();
  for (const spent of [sniffed, piped, ended]) {
    expect(source(spent).isSpent).toBe(true);
    expect(() => open(spent)).toThrow('only once');
  }
  for (const whole of [unread, failed]) expect(source(whole).isSpent).toBe(false);
});

test('an empty stream that has ended is empty', async () => {
  const [early, late] = [new PassThrough().end(), new PassThrough().end()];
  await once(early.resume(), 'close');
  const [first, second] = [open(early), open(late)];
  await once(late, 'close');
  expect([await all(first), await all(second)]).toEqual(['', '']);
});

test('however many mails hold a stream, it is listened to once', () => {
  const stream = new PassThrough();
  for (let count = 0; count < 50; count += 1) source(stream);
  open(stream);
  expect(stream.listenerCount('error')).toBe(1);
});

test('discard destroys what never was opened', async () => {
  const stream = new PassThrough();
  const [unopened, generator] = [source(stream), generate('a')];
  unopened.discard();
  expect(stream.destroyed).toBe(true);
  expect(() => unopened.open()).toThrow('only once');
  source(generator).discard();
  expect(await generator.next()).toMatchObject({ done: true });
});

test('a function that gives nothing usable is a source error', () => {
  expect(() => open(() => { throw new Error('no such row'); })).toThrow('no such row');
  expect(() => open((() => Promise.resolve('a')) as never)).toThrow('returned a promise');
  expect(() => open((() => 42) as never)).toThrow('no string, bytes');
});
