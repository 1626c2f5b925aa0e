import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { filter, firstValueFrom, map, of, Subscription, take, tap, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpClient, type Message, type RawMessage, type SmtpEvent } from '../../src/index.js';
import { startServer, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { collect, type Told } from '../support/collect.js';
import { clientOf } from '../support/many-mails.js';
import { WAYS } from '../support/ways.js';

const mailOf = (name: string): Message => ({ envelope: { from: `${name}@example.com`, to: [`${name}@example.org`] }, raw: `Subject: ${name}\r\n\r\n` });

/** What arrived, each with its own sender, recipient and content. */
const arrived = ({ messages }: TestServer): readonly string[] => messages.map(({ from, to, content }) => {
  const [, name = ''] = /^Subject: (.*)/.exec(content.toString()) ?? [];
  expect([from, to]).toEqual([`${name}@example.com`, [`${name}@example.org`]]);
  return name;
}).sort();

/** More than is gathered for one write. */
const LARGE = `${'x'.repeat(70)}\r\n`.repeat(1_000);

/** Content in several chunks, between which it waits for something. */
async function* inPieces(name: string, between: () => Promise<void> = () => Promise.resolve()): AsyncGenerator<string> {
  yield `Subject: ${name}\r\n\r\n${LARGE}`;
  await between();
  yield LARGE;
}

const CONTENTS: Readonly<Record<string, (name: string) => RawMessage['raw']>> = {
  'a small mail': (name) => `Subject: ${name}\r\n\r\n`,
  'a large mail': (name) => `Subject: ${name}\r\n\r\n${LARGE}`,
  'a mail that is read': (name) => () => inPieces(name),
};

for (const [way, without] of Object.entries(WAYS)) {
  describe(`whoever is told may act at once ${way}:`, () => {
    for (const type of ['ready', 'sender-accepted', 'recipient-accepted', 'progress', 'accepted'] as const) {
      it(`sends another mail at ${type}`, async () => {
        await using server = await startServer({ without });
        await using client = clientOf(server);
        await collect(client.send(mailOf('first')));
        const inner = new Promise<Told>((resolve) => {
          client.send(mailOf('outer')).subscribe((event: SmtpEvent) => { if (event.type === type) resolve(collect(client.send(mailOf('inner')))); });
        });
        expect((await inner).error).toBeUndefined();
        await client.close();
        expect(arrived(server)).toEqual(['first', 'inner', 'outer']);
      });
    }

    it('sends another mail at accepted, on the same connection', async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server, { pool: { maxConnections: 5 } });
      const sent: Promise<Told>[] = [];
      await collect(client.send(mailOf('outer')).pipe(tap(({ type }) => { if (type === 'accepted') sent.push(collect(client.send(mailOf('inner')))); })));
      expect((await Promise.all(sent)).map(({ error }) => error)).toEqual([undefined]);
      expect(arrived(server)).toEqual(['inner', 'outer']);
      expect(server.sessions).toHaveLength(1);
    });

    it('sends another mail when a mail begins', async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server);
      await collect(client.send(mailOf('first')));
      const inner = firstValueFrom(client.state$.pipe(filter(({ inFlight }) => inFlight === 1), take(1), map(() => collect(client.send(mailOf('inner'))))));
      expect((await collect(client.send(mailOf('outer')))).error).toBeUndefined();
      expect((await inner).error).toBeUndefined();
      expect(arrived(server)).toEqual(['first', 'inner', 'outer']);
    });

    for (const [how, send] of Object.entries({
      'one mail': (client: SmtpClient, to: readonly string[]) => client.send({ ...mailOf('cancelled'), envelope: { from: null, to } }),
      'one of many': (client: SmtpClient, to: readonly string[]) => client.sendAll([{ ...mailOf('cancelled'), envelope: { from: null, to } }]),
      'one of many that are pushed': (client: SmtpClient, to: readonly string[]) => client.sendAll(of({ ...mailOf('cancelled'), envelope: { from: null, to } })),
    })) {
      it(`cancels ${how} at ready: nothing of it is sent`, async () => {
        await using server = await startServer({ without });
        await using client = clientOf(server);
        for (const to of [['one@example.org'], ['one@example.org', 'two@example.org']]) {
          await collect(client.send(mailOf('first')));
          const other = collect(client.send(mailOf('other')));
          expect(await firstValueFrom(send(client, to) as Observable<SmtpEvent>)).toMatchObject({ type: 'ready' });
          await other;
        }
        expect(arrived(server)).toEqual(['first', 'first', 'other', 'other']);
      });
    }

    it('cancels a mail at a warning: nothing of it is sent', async () => {
      await using server = await startServer({ without: [...without, 'DSN'] });
      await using client = clientOf(server);
      await collect(client.send(mailOf('first')));
      const other = collect(client.send(mailOf('other')));
      await firstValueFrom(client.send({ ...mailOf('cancelled'), dsn: { ret: 'HDRS' } }).pipe(filter(({ type }) => type === 'warning')));
      await other;
      await collect(client.send(mailOf('last')));
      expect(arrived(server)).toEqual(['first', 'last', 'other']);
      expect(server.sessions.flatMap(({ lines }) => lines).join('\n')).not.toContain('cancelled@');
    });

    for (const [kind, content, isFollowed] of Object.entries(CONTENTS).flatMap(([name, raw]) => [[name, raw, false] as const, [name, raw, true] as const])) {
      it(`cancels ${kind} at any line of the log${isFollowed ? ', and sends another one' : ''}`, async () => {
        let line = -1;
        let lines = 0;
        do {
          line += 1;
          await using server = await startServer({ without });
          await using client = clientOf(server, { pool: { maxConnections: 1 } });
          // Twice two: the server is known to bear mails behind one another.
          for (let pair = 0; pair < 2; pair += 1) await Promise.all([collect(client.send(mailOf('first'))), collect(client.send(mailOf('first')))]);
          const sent: Promise<Told>[] = [];
          const send = (name: string, raw: RawMessage['raw']): void => { sent.push(collect(client.send({ ...mailOf(name), raw }))); };
          const victim = new Subscription();
          const ended = new Promise<void>((resolve) => { victim.add(resolve); });
          lines = 0;
          const log = client.log$.subscribe(() => {
            if (lines++ !== line) return;
            victim.unsubscribe();
            if (isFollowed) send('inner', () => inPieces('inner'));
          });
          send('before', 'Subject: before\r\n\r\n');
          victim.add(client.send({ ...mailOf('victim'), raw: content('victim') }).subscribe({ error: () => { victim.unsubscribe(); }, complete: () => { victim.unsubscribe(); } }));
          send('behind', () => inPieces('behind', async () => {
            await ended;
            // Client and server share the loop: the chunk before is answered meanwhile.
            for (let turn = 0; turn < 20; turn += 1) await setImmediate();
            // Must not begin before this one has left.
            send('last', () => inPieces('last'));
          }));
          await ended;
          // One by one, because there may be more on the way.
          for (const told of sent) expect((await told).error).toBeUndefined();
          log.unsubscribe();
          await client.close();
          const names = arrived(server).filter((name) => name !== 'first' && name !== 'victim');
          expect(server.sessions.flatMap((session) => session.lines).filter((said) => said.startsWith('S: 5'))).toEqual([]);
          expect(names).toEqual(['before', 'behind', ...(isFollowed && line < lines ? ['inner'] : []), 'last']);
        } while (line < lines);
        expect(line).toBeGreaterThan(10);
      });
    }

    it('cancels a mail in its own content: what that gives is closed', async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server);
      const content = Readable.from(['Subject: never\r\n\r\n']);
      const victim = new Subscription();
      const isClosed = once(content, 'close');
      victim.add(client.send({ ...mailOf('victim'), raw: () => { victim.unsubscribe(); return content; } }).subscribe());
      await isClosed;
      expect((await collect(client.send(mailOf('other')))).error).toBeUndefined();
      expect(arrived(server)).toEqual(['other']);
    });

    it('cancels a mail that waited when it begins', async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server, { timeouts: { close: 500, quit: 100 } });
      const first = collect(client.send(mailOf('first')));
      const second = client.send(mailOf('second')).subscribe();
      let hasWaited = false;
      client.state$.subscribe(({ waiting, inFlight }) => {
        if (hasWaited && waiting === 0 && inFlight === 1) second.unsubscribe();
        hasWaited ||= waiting > 0;
      });
      await first;
      await client.close();
      expect(await firstValueFrom(client.closed$)).toEqual({ ended: 0, cut: 0 });
    });
  });
}

it('cancels a mail at ready: its content is not asked for', async () => {
  await using server = await startServer();
  await using client = clientOf(server);
  await collect(client.send(mailOf('first')));
  let isAsked = false;
  await firstValueFrom(client.send({ ...mailOf('cancelled'), raw: () => { isAsked = true; return inPieces('cancelled'); } }));
  expect(isAsked).toBe(false);
});

it('cancels a mail that waits, when a connection is left for it: it never begins', async () => {
  await using server = await startServer({ without: ['PIPELINING', 'CHUNKING', 'LIMITS'], limits: { mails: 1 } });
  await using client = clientOf(server, { pool: { maxConnections: 3, idleTimeout: Infinity }, timeouts: { close: 2_000, quit: 100 } });
  await Promise.all(Array.from({ length: 3 }, () => collect(client.send(mailOf('first')))));
  const victim = new Subscription();
  client.state$.subscribe(({ waiting, busy, idle }) => { if (waiting === 1 && busy === 0 && idle === 0) victim.unsubscribe(); });
  const isOver = new Promise<void>((resolve) => { victim.add(resolve); });
  victim.add(client.send(mailOf('victim')).subscribe());
  await isOver;
  expect(await firstValueFrom(client.state$)).toMatchObject({ busy: 0, inFlight: 0, waiting: 0 });
  await client.close();
  expect(await firstValueFrom(client.closed$)).toEqual({ ended: 0, cut: 0 });
});

describe('whoever is told of a connection that opens may cancel at once:', () => {
  it.each<[string, ServerOptions]>([
    ['PLAIN behind STARTTLS', { tls: 'starttls' }], ['LOGIN', { tls: 'none', mechanisms: ['LOGIN'] }], ['CRAM-MD5', { tls: 'none', mechanisms: ['CRAM-MD5'] }],
  ])('at no line of the log is QUIT said where it would be none: %s', async (_, options) => {
    let lines = 0;
    for (let line = 0; line <= lines; line += 1) {
      await using server = await startServer({ users: { ann: 'open sesame' }, ...options });
      await using client = new SmtpClient({ host: 'localhost', port: server.port, security: options.tls === 'none' ? 'none' : 'starttls', tls: { ca: server.ca }, auth: { user: 'ann', pass: 'open sesame' }, timeouts: { quit: 200 } });
      const running = new Subscription();
      const isOver = new Promise<void>((resolve) => { running.add(resolve); });
      lines = 0;
      const log = client.log$.subscribe(() => { if (lines++ === line) running.unsubscribe(); });
      running.add(client.send(mailOf('first')).subscribe({ complete: () => { running.unsubscribe(); } }));
      await isOver;
      log.unsubscribe();
      await client.close();
      await server.idle();
      const said = server.sessions.flatMap((session) => session.lines).join('\n');
      expect(said).not.toMatch(/(?:^S: 334.*|^C: STARTTLS\nS: 220.*)\nC: QUIT/m);
    }
    expect(lines).toBeGreaterThan(8);
  });

  for (const type of ['connected', 'greeted', 'introduced', 'authenticated'] as const) {
    it.each([undefined, 5_000])(`nothing is said behind ${type} but QUIT (timeouts.operation: %s)`, async (operation) => {
      let asked = 0;
      await using server = await startServer({ mechanisms: ['XOAUTH2'], users: { ann: 'token' } });
      await using client = clientOf(server, { allowInsecureAuth: true, auth: { user: 'ann', token: () => { asked += 1; return of('token'); } }, ...(operation === undefined ? {} : { timeouts: { operation } }) });
      for (const told$ of [client.send(mailOf('never')), client.verify()]) await firstValueFrom((told$).pipe(filter((event) => event.type === type)));
      await client.close();
      await server.idle();
      const said = server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: ')).map((line) => line.slice(3, 7)));
      const before = { connected: [], greeted: ['QUIT'], introduced: ['EHLO', 'QUIT'], authenticated: ['EHLO', 'AUTH', 'QUIT'] }[type];
      expect(said).toEqual([before, before]);
      expect(asked).toBe(type === 'authenticated' ? 2 : 0);
    });
  }
});

describe('who listens to state$ may act', () => {
  it('within its first value, and is told what follows', () => {
    const client = new SmtpClient({ host: '127.0.0.1', port: 1, security: 'none' });
    const told: number[] = [];
    const sending = new Subscription();
    const send = (): void => { sending.add(client.send(mailOf('one')).subscribe()); };
    client.state$.subscribe(({ inFlight }) => {
      told.push(inFlight);
      if (told.length === 1) send();
    });
    expect(told).toEqual([0, 1]);
    sending.unsubscribe();
    expect(told).toEqual([0, 1, 0]);
  });

  it('and who listens behind him is told the latest, last', () => {
    const client = new SmtpClient({ host: '127.0.0.1', port: 1, security: 'none', pool: { maxConnections: 1 } });
    const told: number[] = [];
    const [first, second] = [client.send(mailOf('one')).subscribe(), client.send(mailOf('two')).subscribe()];
    client.state$.subscribe(({ waiting }) => { if (waiting === 2) second.unsubscribe(); });
    client.state$.subscribe(({ waiting }) => { told.push(waiting); });
    const third = client.send(mailOf('three')).subscribe();
    expect(told).toEqual([1]);
    for (const sending of [third, first]) sending.unsubscribe();
  });
});
