import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { lastValueFrom, Observable } from 'rxjs';
import { expect, it } from 'vitest';
import type { Message } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { clientOf } from '../support/many-mails.js';

const request = new AsyncLocalStorage<string>();
const NAMES = ['A', 'B', 'C'];

type Note = () => void;

it.each<[string, (note: Note) => Message]>([
  ['a function', (note) => ({ ...MAIL, raw: () => { note(); return MAIL.raw; } })],
  ['a generator', (note) => ({ ...MAIL, raw: async function* () { note(); try { yield await Promise.resolve(MAIL.raw); } finally { note(); } } })],
  ['a generator that was begun', (note) => ({ ...MAIL, raw: (async function* () { note(); yield await Promise.resolve(MAIL.raw); })() })],
  ['a stream', (note) => ({ ...MAIL, raw: () => new Readable({ read() { note(); this.push(MAIL.raw); this.push(null); } }) })],
  ['an Observable', (note) => ({ ...MAIL, raw: new Observable<string>((subscriber) => { note(); subscriber.next(MAIL.raw); subscriber.complete(); return note; }) })],
  ['an attachment', (note) => ({ from: 'ann@example.com', to: 'bob@example.org', attachments: [{ content: async function* () { note(); yield await Promise.resolve('a'); } }] })],
])('content runs in the context of its own send(), beside others on one connection: %s', async (_, messageOf) => {
  await using server = await startServer();
  await using client = clientOf(server);
  const strangers: unknown[] = [];
  let notes = 0;
  await Promise.all(NAMES.map((name) => request.run(name, () => lastValueFrom(client.send(messageOf(() => {
    notes += 1;
    if (request.getStore() !== name) strangers.push(`${name} in ${String(request.getStore())}`);
  }))))));
  expect(notes).toBeGreaterThanOrEqual(NAMES.length);
  expect(strangers).toEqual([]);
});

it('content that is never read, and a source, are left in the context of who gave them', async () => {
  await using server = await startServer();
  await using client = clientOf(server);
  const left: unknown[] = [];
  const note = (): void => { left.push(request.getStore()); };
  const raw = new Readable({ read: () => undefined, destroy: (error, done) => { note(); done(error); } });
  function* source(): Generator<Message> { try { for (;;) yield MAIL; } finally { note(); } }
  const sending = request.run('A', () => client.send({ ...MAIL, raw }).subscribe());
  sending.add(request.run('B', () => client.sendAll(source()).subscribe()));
  request.run('C', () => { sending.unsubscribe(); });
  await expect.poll(() => left.toSorted()).toEqual(['A', 'B']);
});

it('a source is pulled in the context of who subscribed, whoever made room', async () => {
  await using server = await startServer();
  await using client = clientOf(server);
  const strangers: unknown[] = [];
  function* source(name: string): Generator<Message> {
    const note = (): void => { if (request.getStore() !== name) strangers.push(`${name} in ${String(request.getStore())}`); };
    try {
      for (let count = 0; count < 20; count += 1) {
        note();
        yield { ...MAIL, raw: () => { note(); return MAIL.raw; } };
      }
    } finally {
      note();
    }
  }
  await Promise.all(NAMES.map((name) => request.run(name, () => lastValueFrom(client.sendAll(source(name))))));
  expect(server.messages).toHaveLength(60);
  expect(strangers).toEqual([]);
});
