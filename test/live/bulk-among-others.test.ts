import { PassThrough } from 'node:stream';
import { filter, from, groupBy, lastValueFrom, map, merge, mergeMap, of, Subject, take, toArray, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sendMail, type BulkEvent, type Message } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { clientOf, mailOf, mails } from '../support/many-mails.js';

const endings = (events$: Observable<BulkEvent>): Promise<readonly string[]> =>
  lastValueFrom(events$.pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray())).then((events) => events.sort((a, b) => a.index - b.index).map(({ type }) => type));

describe('a stream of mails beside others', () => {
  it('listens to its source at once, also where the client is busy: what a Subject emits is not lost', async () => {
    await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'] });
    await using client = clientOf(server);
    const others = Array.from({ length: 20 }, () => collect(client.send(MAIL)));
    const outbox = new Subject<Message>();
    const told = endings(outbox.pipe(sendMail(client)));
    expect(outbox.observed).toBe(true);
    for (const mail of mails(3)) outbox.next(mail);
    outbox.complete();
    expect(await told).toEqual(['accepted', 'accepted', 'accepted']);
    await Promise.all(others);
  });

  it('may be one of many, a lane for each domain', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const source = Array.from({ length: 40 }, (_, index) => mailOf(index, `bob@d${String(index % 10)}.example`));
    const told = from(source).pipe(groupBy(({ envelope }) => JSON.stringify(envelope?.to)), mergeMap((lane$) => lane$.pipe(sendMail(client))));
    expect(await endings(told)).toEqual(Array(40).fill('accepted'));
  });

  it('has its turn beside one that never ends', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    function* endless(): Generator<Message> { for (;;) yield MAIL; }
    const newsletter = client.sendAll(endless()).subscribe();
    expect(await endings(client.sendAll(mails(3)))).toEqual(['accepted', 'accepted', 'accepted']);
    newsletter.unsubscribe();
  });

  it('gets no less of the room than the others', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    function* endless(): Generator<Message> { for (;;) yield MAIL; }
    const streams = [0, 1, 2].map((stream) => client.sendAll(endless()).pipe(filter(({ type }) => type === 'accepted'), map(() => stream)));
    const told = await lastValueFrom(merge(...streams).pipe(take(600), toArray()));
    for (const stream of [0, 1, 2]) expect(told.filter((one) => one === stream).length).toBeGreaterThan(100);
  });

  it('has its turn every few mails', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const streams = [0, 1, 2].map((stream) => client.sendAll(Array<Message>(30).fill(MAIL)).pipe(filter(({ type }) => type === 'accepted'), map(() => stream)));
    const told = await lastValueFrom(merge(...streams).pipe(take(60), toArray()));
    expect(told.join('')).not.toMatch(/(.)\1{9}/);
  });
});

describe('a mail that waits in a stream', () => {
  const waiting = (stream: PassThrough): Observable<Message> => of(MAIL, { ...MAIL, raw: stream });

  it('is taken charge of as soon as it has come: what its stream throws is its failure, and ends no process', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const stream = new PassThrough();
    const told = endings(waiting(stream).pipe(sendMail(client, { concurrency: 1 })));
    expect(stream.listenerCount('error')).toBeGreaterThan(0);
    stream.destroy(new Error('no such file'));
    expect(await told).toEqual(['accepted', 'failed']);
  });

  it('lets go of its stream when it is cancelled', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const stream = new PassThrough();
    waiting(stream).pipe(sendMail(client, { concurrency: 1 })).subscribe().unsubscribe();
    expect(stream.destroyed).toBe(true);
  });

  it('lets go of its stream when the client closes, and is told', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    const stream = new PassThrough();
    const told: string[] = [];
    waiting(stream).pipe(sendMail(client, { concurrency: 1 })).subscribe({ next: ({ type, index }) => { if (index === 1) told.push(type); }, error: () => undefined });
    await client.close();
    expect(told).toEqual(['failed']);
    expect(stream.destroyed).toBe(true);
  });

  it('lets go of the streams of its attachments as well, before it was composed', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const stream = new PassThrough();
    const composed: Message = { from: 'ann@example.com', to: 'bob@example.org', attachments: [{ content: stream }] };
    of(MAIL, composed).pipe(sendMail(client, { concurrency: 1 })).subscribe().unsubscribe();
    expect(stream.destroyed).toBe(true);
  });
});
