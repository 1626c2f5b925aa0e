import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { concat, count, filter, firstValueFrom, from, lastValueFrom, map, NEVER, Observable, of, range, Subject, Subscription, take, takeUntil, tap, throwError, timer, toArray, type ObservableInput } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sendMail, SmtpClient, type Message } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

/** How a stream failed; undefined where it did not. */
const failureOf = (events$: Observable<unknown>): Promise<unknown> => lastValueFrom(events$, { defaultValue: undefined }).then(() => undefined, (error: unknown) => error);

describe('sendAll', () => {
  function* endless(taken: { count: number }): Generator<Message> { for (;;) { taken.count += 1; yield MAIL; } }
  async function* endlessLater(taken: { count: number }): AsyncGenerator<Message> { for (;;) { await Promise.resolve(); taken.count += 1; yield MAIL; } }

  it('tells of a message that cannot even be read, and goes on', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const broken = { ...MAIL, get envelope(): never { throw new TypeError('no envelope today'); } } as Message;
    const told = await lastValueFrom(client.sendAll([MAIL, broken, MAIL]).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(told.map(({ type, index }) => `${type} ${String(index)}`).sort()).toEqual(['accepted 0', 'accepted 2', 'failed 1']);
    expect(told.find(({ type }) => type === 'failed')).toMatchObject({ error: { code: 'E_USAGE', cause: new TypeError('no envelope today') } });
  });

  for (const [kind, source] of Object.entries({ 'an iterable': endless, 'an async iterable': endlessLater })) {
    it(`pulls ${kind} only as there is room`, async () => {
      await using server = await startServer();
      await using client = clientOf(server, { pool: { maxConnections: 2 } });
      const taken = { count: 0 };
      let finished = 0;
      await lastValueFrom(client.sendAll(source(taken), { concurrency: 4 }).pipe(
        filter(({ type }) => type === 'accepted'),
        tap(() => {
          finished += 1;
          expect(taken.count - finished).toBeLessThanOrEqual(4);
        }),
        take(100),
      ));
      expect(taken.count).toBeLessThanOrEqual(105);
    });
  }

  it('tells of each mail which one it was, and goes on when one fails', async () => {
    await using server = await startServer({ onRecipient: (path) => (path === 'nobody@example.org' ? '550 5.1.1 no' : undefined) });
    await using client = clientOf(server);
    const nobody: Message = { ...MAIL, envelope: { from: null, to: ['nobody@example.org'] } };
    const bad: Message = { ...MAIL, envelope: { from: 'ann@example.com', to: ['a b@c'] } };
    const events = await lastValueFrom(client.sendAll([MAIL, nobody, bad, MAIL]).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(events.map(({ type, index }) => `${String(index)} ${type}`).sort()).toEqual(['0 accepted', '1 failed', '2 failed', '3 accepted']);
    expect(events.find(({ index }) => index === 1)?.message).toBe(nobody);
    expect(events.find(({ index }) => index === 2)).toMatchObject({ error: { code: 'E_USAGE' } });
  });

  it('gives up at once a stream of messages that waits for more', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    let isCancelled = false;
    const [readable, web] = [new Readable({ objectMode: true, read: () => undefined }), new ReadableStream<Message>({ cancel: () => { isCancelled = true; } })];
    client.sendAll(readable).subscribe().unsubscribe();
    client.sendAll(web).subscribe().unsubscribe();
    expect([readable.destroyed, isCancelled]).toEqual([true, true]);
  });

  it('stops a source that ends all while it is subscribed to', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const stop$ = new Subject<void>();
    let emitted = 0;
    const source$ = range(1, 1_000_000).pipe(tap((number) => { emitted = number; if (number === 3) stop$.next(); }), map(() => MAIL));
    await lastValueFrom(source$.pipe(sendMail(client), takeUntil(stop$)), { defaultValue: undefined });
    expect(emitted).toBe(3);
  });

  it('takes an Observable as well, and is an operator', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const sent = await lastValueFrom(from([1, 2, 3]).pipe(map((number): Message => ({ ...MAIL, raw: `Subject: ${String(number)}\r\n\r\n` })), sendMail(client, { concurrency: 2 }), filter(({ type }) => type === 'accepted'), toArray()));
    expect(sent).toHaveLength(3);
    expect(server.messages).toHaveLength(3);
  });

  it('stops when it is unsubscribed, and ends its source', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    let hasEnded = false;
    function* source(): Generator<Message> { try { for (;;) yield MAIL; } finally { hasEnded = true; } }
    await lastValueFrom(client.sendAll(source()).pipe(filter(({ type }) => type === 'accepted'), take(3)));
    expect(hasEnded).toBe(true);
  });

  it('ends its source, too, where that is what unsubscribes', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const running = new Subscription();
    let hasEnded = false;
    function* source(): Generator<Message> { try { yield MAIL; running.unsubscribe(); yield MAIL; } finally { hasEnded = true; } }
    const isOver = new Promise<void>((resolve) => { running.add(resolve); });
    running.add(client.sendAll(source(), { concurrency: 1 }).subscribe());
    await isOver;
    expect(hasEnded).toBe(true);
  });

  it('fails as a whole when its source does behind a mail that has ended', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    function* broken(): Generator<Message> { yield MAIL; throw new Error('no more orders'); }
    await expect(lastValueFrom(client.sendAll(broken(), { concurrency: 1 }))).rejects.toThrow('no more orders');
    expect((await collect(client.send(MAIL))).types).toContain('accepted');
  });

  it('pulls a source whose promises are not of this realm', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const foreign = runInNewContext('(mails) => ({ [Symbol.asyncIterator]: () => { const each = mails.values(); return { next: async () => each.next() }; } })') as (mails: readonly Message[]) => AsyncIterable<Message>;
    const events = await lastValueFrom(client.sendAll(foreign([MAIL, MAIL])).pipe(take(100), toArray()));
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(2);
  });

  it('fails as a whole when its source does, or when the client was closed', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    function* broken(): Generator<Message> { yield MAIL; throw new Error('no more orders'); }
    await expect(lastValueFrom(client.sendAll(broken()))).rejects.toThrow('no more orders');
    await client.close();
    await expect(lastValueFrom(client.sendAll(endless({ count: 0 })))).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  it('checks its options', async () => {
    await using client = new SmtpClient({ host: 'mail.example.com' });
    const wrong: readonly (readonly [options: object, text: string])[] = [
      [{ concurrency: 0 }, '"concurrency" must be'], [{ concurrency: NaN }, '"concurrency" must be'], [{ concurrency: 1.5 }, '"concurrency" must be'], [{ concurrency: '3' }, '"concurrency" must be'],
      [{ concurency: 1 }, 'Did you mean "concurrency"?'], [{ signal: AbortSignal.abort() }, 'unsubscribing cancels'], [[1], 'The options of sendAll() must be an object.'],
    ];
    for (const [options, text] of wrong) expect(() => client.sendAll([], options)).toThrow(text);
    expect(() => client.sendAll([], { concurrency: undefined } as object)).not.toThrow();
    for (const source of [5, null, undefined, 'mail', MAIL]) expect(await failureOf(client.sendAll(source as unknown as Message[]))).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('One message goes to send()') as string });
  });

  it('tells what became of each mail that was begun when its source fails', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'delay', ms: 50, times: Infinity }] });
    await using client = clientOf(server);
    async function* broken(): AsyncGenerator<Message> { yield MAIL; yield MAIL; await firstValueFrom(client.state$.pipe(filter(({ inFlight }) => inFlight === 2))); throw new Error('no more orders'); }
    const sources = { 'an async generator': broken(), 'an Observable': concat(of(MAIL, MAIL), throwError(() => new Error('no more orders'))) };
    for (const source of Object.values(sources)) {
      const types: string[] = [];
      await expect(lastValueFrom(client.sendAll(source).pipe(tap(({ type }) => { types.push(type); })))).rejects.toThrow('no more orders');
      expect(types.filter((type) => type === 'accepted')).toHaveLength(2);
    }
    expect(server.messages).toHaveLength(4);
  });

  it('goes on with the mails that were begun when the client closes, refused or not, and then fails where there are more', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'delay', ms: 50, times: Infinity }], onMessage: ({ from }) => (from === 'spam@example.com' ? '550 5.7.1 no' : undefined) });
    const spam: Message = { ...MAIL, envelope: { ...MAIL.envelope, from: 'spam@example.com' } };
    for (const [source, hasMore] of [[[spam, MAIL, MAIL], false], [[spam, MAIL, MAIL, MAIL, MAIL, MAIL, MAIL, MAIL, MAIL, MAIL], true]] as const) {
      const client = clientOf(server, { pool: { maxConnections: 3 } });
      const told: string[] = [];
      const events$ = client.sendAll(source, { concurrency: 3 }).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'));
      const ended = lastValueFrom(events$.pipe(tap(({ type, index }) => { told.push(`${String(index)} ${type}`); }))).then(() => undefined, (error: unknown) => error);
      await firstValueFrom(client.state$.pipe(filter(({ inFlight }) => inFlight === 3)));
      await client.close();
      // The one that was taken last is not lost: nobody else may have it.
      expect(told.sort()).toEqual(['0 failed', '1 accepted', '2 accepted', ...(hasMore ? ['3 failed'] : [])]);
      expect(await firstValueFrom(client.closed$)).toEqual({ ended: 3, cut: 0 });
      if (hasMore) expect(await ended).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('was closed') as string });
      else expect(await ended).toBeUndefined();
    }
  });

  it.each<[string, () => ObservableInput<Message>]>([
    ['finished messages', () => [MAIL, MAIL]],
    ['composed messages', () => [{ from: 'ann@example.com', to: 'bob@example.org', text: 'x' }]],
    ['an Observable', () => of(MAIL)],
    ['an Observable that gives none', () => NEVER],
    ['an async source', async function* () { yield await Promise.resolve(MAIL); }],
    ['a source without an end', () => endless({ count: 0 })],
  ])('of a client that was closed fails: %s', async (_, source) => {
    await using server = await startServer();
    const client = clientOf(server);
    await client.close();
    for (const options of [{}, { concurrency: 1 }]) expect(await failureOf(client.sendAll(source(), options))).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('was closed') as string });
    expect(server.sessions).toHaveLength(0);
  });

  it('loses none of what an Observable has given when the client closes', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'delay', ms: 20, times: Infinity }] });
    const client = clientOf(server, { pool: { maxConnections: 1 } });
    const messages = new Subject<Message>();
    const ends: string[] = [];
    const failure = failureOf(client.sendAll(messages, { concurrency: 3 }).pipe(tap(({ type, index }) => { if (type === 'accepted' || type === 'failed') ends.push(`${String(index)} ${type}`); })));
    for (let count = 0; count < 20; count += 1) messages.next(MAIL);
    await client.close();
    expect(await failure).toMatchObject({ code: 'E_USAGE' });
    expect(ends.sort()).toEqual(Array.from({ length: 20 }, (_, index) => `${String(index)} ${index < 3 ? 'accepted' : 'failed'}`).sort());
  });

  it('ends a source that has given nothing yet when the client closes', async () => {
    const client = clientOf({ host: 'mail.example.com', port: 25 });
    const failure = failureOf(client.sendAll(NEVER));
    await client.close();
    expect(await failure).toMatchObject({ code: 'E_USAGE' });
  });

  it('ends a source that may give more when the client closes', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    const messages = new Subject<Message>();
    const types: string[] = [];
    const failure = failureOf(client.sendAll(messages).pipe(tap(({ type }) => { types.push(type); })));
    messages.next(MAIL);
    await client.close();
    expect(await failure).toMatchObject({ code: 'E_USAGE' });
    expect(types.at(-1)).toBe('accepted');
    expect(messages.observed).toBe(false);
    expect(await lastValueFrom(client.state$)).toMatchObject({ open: 0, inFlight: 0 });
  });

  it('takes no more than the connections have room for, so that nothing waits within its own time', async () => {
    await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'], faults: [{ at: 'end-of-data', do: 'delay', ms: 10, times: Infinity }] });
    await using client = clientOf(server, { pool: { maxConnections: 2 } });
    let mostWaiting = 0;
    const watching = client.state$.subscribe(({ waiting }) => { mostWaiting = Math.max(mostWaiting, waiting); });
    const taken = { count: 0 };
    let finished = 0;
    await lastValueFrom(client.sendAll(endless(taken)).pipe(
      filter(({ type }) => type === 'accepted'),
      tap(() => {
        finished += 1;
        expect(taken.count - finished).toBeLessThanOrEqual(5);
      }),
      take(20),
    ));
    watching.unsubscribe();
    expect(mostWaiting).toBeLessThanOrEqual(3);
  });

  it('opens only a few connections at a time where each mail has its own', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { pool: false });
    let mostBusy = 0;
    const watching = client.state$.subscribe(({ busy }) => { mostBusy = Math.max(mostBusy, busy); });
    await lastValueFrom(client.sendAll(Array(30).fill(MAIL)));
    watching.unsubscribe();
    expect(mostBusy).toBeLessThanOrEqual(5);
    expect(server.messages).toHaveLength(30);
  });

  it.each([
    ['in the turn in which it was begun', () => { function* wrong(): Generator<Message> { for (;;) yield {} as Message; } return wrong(); }],
    ['a moment later', () => { async function* wrong(): AsyncGenerator<Message> { for (;;) yield await Promise.resolve({} as Message); } return wrong(); }],
  ])('leaves their turn to others while each mail of an endless source fails %s', async (_, source) => {
    await using server = await startServer();
    await using client = clientOf(server);
    const failed = await lastValueFrom(client.sendAll(source()).pipe(takeUntil(timer(20)), count()));
    expect(failed).toBeGreaterThan(0);
  });

  it.each<[string, () => unknown]>([
    ['gives something else', () => undefined],
    ['throws from what it gave', () => ({ get done(): boolean { throw new TypeError('not today'); } })],
  ])('fails with an iterator that %s, behind the mails that were begun', async (_, next) => {
    await using server = await startServer();
    await using client = clientOf(server);
    let given = 0;
    const broken = { [Symbol.iterator]: () => ({ next: () => ((given += 1) > 2 ? next() : { done: false, value: MAIL }) }) } as Iterable<Message>;
    const types: string[] = [];
    expect(await failureOf(client.sendAll(broken, { concurrency: 1 }).pipe(tap(({ type }) => { types.push(type); })))).toBeInstanceOf(TypeError);
    expect(types.filter((type) => type === 'accepted')).toHaveLength(2);
  });

  it('closes also where the clean-up of an Observable fails', async () => {
    await using server = await startServer();
    const client = clientOf(server);
    const failures = [1, 2].map(() => failureOf(client.sendAll(new Observable<Message>((subscriber) => {
      subscriber.next(MAIL);
      return () => { throw new Error('untidy'); };
    }))));
    await firstValueFrom(client.state$.pipe(filter(({ idle }) => idle > 0)));
    await client.close();
    for (const failure of failures) expect(await failure).toMatchObject({ code: 'E_USAGE' });
  });

  it('is not troubled by a source whose clean-up fails', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const untidy: Iterable<Message> = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: MAIL }), return: () => { throw new Error('untidy'); } }) };
    expect(await lastValueFrom(client.sendAll(untidy).pipe(filter(({ type }) => type === 'accepted'), take(2)))).toMatchObject({ type: 'accepted' });
  });
});
