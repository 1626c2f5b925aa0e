import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { defer, filter, firstValueFrom, lastValueFrom, ReplaySubject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, retryWhenSafe, type Message, type PoolState } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { listen } from '../support/listen.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';
import { WAYS } from '../support/ways.js';

describe('the pool', () => {
  it('opens no more connections than it may, and shows what they do', async () => {
    await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'] });
    await using client = clientOf(server, { pool: { maxConnections: 3 } });
    const states: PoolState[] = [];
    const watching = client.state$.subscribe((state) => { states.push(state); });
    const told = await Promise.all(Array.from({ length: 12 }, () => collect(client.send(MAIL))));
    expect(told.map(({ types }) => types.at(-1))).toEqual(Array(12).fill('accepted'));
    expect(server.sessions).toHaveLength(3);
    expect(Math.max(...states.map(({ open }) => open))).toBe(3);
    expect(Math.max(...states.map(({ waiting }) => waiting))).toBeGreaterThan(0);
    expect(states.every(({ open, busy, idle }) => busy + idle <= open)).toBe(true);
    expect(states.at(-1)).toEqual({ open: 3, busy: 0, idle: 3, waiting: 0, inFlight: 0, limit: Infinity });
    states.slice(1).forEach((state, index) => { expect(state).not.toEqual(states[index]); });
    watching.unsubscribe();
  });

  it('replaces a connection between two mails when it has carried enough', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { pool: { maxConnections: 1, maxMessages: 2 } });
    for (let count = 0; count < 5; count += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([2, 2, 1]);
    expect(server.sessions[0]?.lines).toContain('C: QUIT');
  });

  it('closes what grows too old while it is idle, and keeps no mail waiting for it', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { pool: { maxConnections: 1, maxAge: 100 } });
    for (let count = 0; count < 2; count += 1) {
      expect((await collect(client.send(MAIL))).error).toBeUndefined();
      await firstValueFrom(client.state$.pipe(filter(({ open }) => open === 0)));
    }
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line === 'C: QUIT').length)).toEqual([1, 1]);
  });

  it('closes what is idle for too long', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { pool: { idleTimeout: 20 } });
    await collect(client.send(MAIL));
    await firstValueFrom(client.state$.pipe(filter(({ open }) => open === 0)));
    expect(server.sessions[0]?.lines).toContain('C: QUIT');
  });

  for (const farewell of ['421 4.4.2 idle for too long', undefined]) {
    it(`notices at once when the server closes an idle connection${farewell === undefined ? '' : ' with 421'}`, async () => {
      await using server = await startServer();
      await using client = clientOf(server);
      await collect(client.send(MAIL));
      const gone = firstValueFrom(client.state$.pipe(filter(({ open }) => open === 0)));
      server.disconnect(farewell);
      await gone;
      expect((await collect(client.send(MAIL))).types.at(-1)).toBe('accepted');
      expect(server.messages).toHaveLength(2);
    });
  }

  for (const [title, fault] of Object.entries({ 'hangs up': { do: 'close' }, 'says 421': { do: 'close', reply: '421 4.3.2 bye' }, 'resets': { do: 'reset' } } as const)) {
    it(`begins a mail anew, unseen, when a used connection ${title} at its first command`, async () => {
      await using server = await startServer({ without: ['CHUNKING'], faults: [{ ...fault, at: 'mail', session: 1, skip: 1 }] });
      await using client = clientOf(server);
      await collect(client.send(MAIL));
      const told = await collect(client.send(MAIL));
      expect(told.error).toBeUndefined();
      expect(told.types).toEqual(['ready', 'sender-accepted', 'recipient-accepted', 'progress', 'accepted']);
      expect(server.messages).toHaveLength(2);
      expect(server.sessions).toHaveLength(2);
    });
  }

  it('does so only so often: a mail at which the server hangs up everywhere does not end all connections', async () => {
    await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'mail', skip: 8, times: 9, do: 'close' }] });
    await using client = clientOf(server, { pool: { maxConnections: 8 } });
    await Promise.all(mails(8).map((mail) => collect(client.send(mail))));
    expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_CLOSED', phase: 'mail', outcome: 'not-sent', retryable: true });
    expect(await firstValueFrom(client.state$.pipe(filter(({ open, idle }) => open === idle)))).toMatchObject({ idle: 2 });
  });

  it('keeps a connection when who listens has heard enough with the receipt', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    for (let count = 0; count < 3; count += 1) await firstValueFrom(client.send(MAIL).pipe(receipts()));
    expect(server.messages).toHaveLength(3);
    expect(server.sessions).toHaveLength(1);
  });

  it('does not do so for the first mail of a connection', async () => {
    await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'mail', do: 'close', times: Infinity }] });
    await using client = clientOf(server);
    expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_CLOSED', phase: 'mail', outcome: 'not-sent', retryable: true });
    expect(server.sessions).toHaveLength(1);
  });

  it('tells of no more connections than it may have', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'reply', reply: '421 not now' }] });
    await using client = clientOf(server, { pool: { maxConnections: 1 } });
    const states: PoolState[] = [];
    client.state$.subscribe((state) => { states.push(state); });
    expect((await collect(client.send(MAIL))).error).toMatchObject({ phase: 'greeting', reply: { code: 421 } });
    expect(Math.max(...states.map(({ open }) => open))).toBe(1);
  });

  it('tells of no more than that where a mail whose own one was refused goes on with another', async () => {
    const held = new ReplaySubject<Socket>(1);
    let opened = 0;
    await using server = await startServer();
    await using door = await listen((socket) => {
      if ((opened += 1) === 1) socket.pipe(connect(server.port, server.host)).pipe(socket);
      else held.next(socket);
    });
    await using client = clientOf(door, { pool: { maxConnections: 2 } });
    const states: PoolState[] = [];
    client.state$.subscribe((state) => { states.push(state); });
    const [first, second] = [collect(client.send(MAIL)), collect(client.send(MAIL))];
    await first;
    (await firstValueFrom(held)).end('421 not now\r\n');
    expect((await second).types.at(-1)).toBe('accepted');
    expect(Math.max(...states.map(({ open }) => open))).toBe(2);
  });

  it('sends over the connections that it has where a server hangs up on one more', async () => {
    let open = 0;
    await using server = await startServer();
    await using door = await listen((socket) => {
      if (open === 2) { socket.destroy(); return; }
      open += 1;
      const through = connect(server.port, server.host);
      socket.pipe(through).pipe(socket);
      for (const [end, other] of [[socket, through], [through, socket]] as const) end.on('error', () => undefined).on('close', () => { other.destroy(); });
      socket.on('close', () => { open -= 1; });
    });
    await using client = clientOf(door, { pool: { maxConnections: 5 } });
    expect(outcomes(await sendAll(client, mails(30)))).toEqual(Array(30).fill('accepted'));
  });

  it('asks for less when the server says "too many", and for more again later', async () => {
    await using server = await startServer({ faults: [{ at: 'mail', do: 'reply', reply: '421 4.7.0 too many', times: 1 }] });
    await using client = clientOf(server, { pool: { maxConnections: 8 } });
    const limits: number[] = [];
    const watching = client.state$.subscribe(({ limit }) => { limits.push(limit); });
    await lastValueFrom(client.sendAll(Array.from({ length: 60 }, () => MAIL), { concurrency: 8 }));
    expect(Math.min(...limits)).toBeLessThan(8);
    expect(limits.at(-1)).toBe(Infinity);
    watching.unsubscribe();
  });

  it('asks for less also when a server says so that took no connection', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'close', reply: '421 4.3.2 too busy' }] });
    await using client = clientOf(server);
    expect((await collect(client.send(MAIL))).error).toMatchObject({ phase: 'greeting', reply: { code: 421 } });
    expect(await firstValueFrom(client.state$)).toMatchObject({ limit: 1 });
    expect(outcomes(await sendAll(client, mails(5)))).toEqual(Array(5).fill('accepted'));
    expect(server.sessions).toHaveLength(2);
  });

  it('asks for more again where each mail is let go as soon as it is accepted, and not where it is cancelled before', async () => {
    await using server = await startServer({ onRecipient: (path) => (path === 'grey@example.org' ? '450 4.7.1 Greylisted' : undefined) });
    await using client = clientOf(server);
    const limits: number[] = [];
    client.state$.subscribe(({ limit }) => { limits.push(limit); });
    const grey = { ...MAIL, envelope: { ...MAIL.envelope, to: ['grey@example.org'] } };
    await Promise.allSettled([grey, MAIL, MAIL, MAIL].map((mail) => firstValueFrom(client.send(mail).pipe(receipts()))));
    expect(limits.at(-1)).toBeLessThan(Infinity);
    for (let mail = 0; mail < 40; mail += 1) client.send(MAIL).subscribe().unsubscribe();
    expect(limits.at(-1)).toBeLessThan(Infinity);
    for (let mail = 0; mail < 40; mail += 1) await firstValueFrom(client.send(MAIL).pipe(receipts()));
    expect(limits.at(-1)).toBe(Infinity);
  });

  it('does not ask for all again, where the server goes on saying so', async () => {
    let underWay = 0;
    await using server = await startServer({
      without: ['PIPELINING', 'CHUNKING'],
      onSender: () => (underWay >= 3 ? '450 4.7.0 too many at a time' : ((underWay += 1), undefined)),
      onMessage: () => { underWay -= 1; return undefined; },
    });
    await using client = clientOf(server, { pool: { maxConnections: 8 } });
    const limits: number[] = [];
    const watching = client.state$.subscribe(({ limit }) => { limits.push(limit); });
    const events = await lastValueFrom(client.sendAll(Array.from({ length: 200 }, () => MAIL)).pipe(toArray()));
    watching.unsubscribe();
    expect(limits.slice(limits.findIndex((limit) => limit < Infinity)).every((limit) => limit <= 8)).toBe(true);
    expect(events.filter(({ type }) => type === 'failed').length).toBeLessThan(40);
  });
});

it('counts a connection until its goodbye was answered', async () => {
  await using server = await startServer({ faults: [{ at: 'quit', do: 'delay', ms: 20, times: Infinity }] });
  await using client = clientOf(server, { pool: { maxConnections: 1, maxMessages: 1 } });
  let most = 0;
  const watching = client.state$.subscribe(({ open }) => { most = Math.max(most, open); });
  await lastValueFrom(client.sendAll(Array<Message>(5).fill(MAIL)));
  watching.unsubscribe();
  expect(most).toBe(1);
  expect(server.messages).toHaveLength(5);
});

it('never has more connections than it may, as a server in this process counts them', async () => {
  let open = 0;
  let most = 0;
  await using server = await startServer();
  await using relay = await listen((socket) => {
    most = Math.max(most, open += 1);
    socket.once('close', () => { open -= 1; });
    const there = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined).pipe(there).on('error', () => undefined).pipe(socket);
  });
  await using client = clientOf(relay, { pool: { maxConnections: 2, maxMessages: 1 } });
  await lastValueFrom(client.sendAll(Array<Message>(40).fill(MAIL)));
  expect(most).toBe(2);
  expect(server.messages).toHaveLength(40);
});

for (const [way, without] of Object.entries(WAYS)) {
  it(`gives no further mail to a connection whose server did not answer in time, ${way}`, async () => {
    await using server = await startServer({ without, faults: [{ at: 'end-of-data', do: 'silence' }] });
    await using client = clientOf(server, { pool: { maxConnections: 2 }, timeouts: { operation: 400, quit: 50 } });
    expect((await collect(client.send(MAIL))).error).toMatchObject({ limit: 'operation', outcome: 'unknown' });
    for (let count = 0; count < 3; count += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(server.sessions).toHaveLength(2);
  });
}

it('blames no connection for a mail whose time was over while it waited', async () => {
  await using server = await startServer({ limits: { recipients: 1 } });
  await using client = clientOf(server, { pool: { maxConnections: 1, rate: { messages: 1, per: 720 } }, timeouts: { operation: 600 } });
  const two = { ...MAIL, envelope: { ...MAIL.envelope, to: ['bob@example.org', 'cid@example.org'] } };
  expect((await collect(client.send(two))).error).toMatchObject({ code: 'E_PARTIAL', cause: { limit: 'operation', phase: 'idle' } });
  expect((await collect(client.send(MAIL))).error).toBeUndefined();
  expect(server.sessions).toHaveLength(1);
});

for (const [way, without] of Object.entries({ 'over DATA': ['CHUNKING'], 'in lock-step': ['CHUNKING', 'PIPELINING'] })) {
  it(`takes a mail elsewhere where the server refuses RSET in front of it, ${way}`, async () => {
    await using server = await startServer({ without, faults: [{ at: 'rset', do: 'reply', reply: '502 5.5.1 not here', times: Infinity }], onSender: (path) => (path === 'spam@example.com' ? '550 5.7.1 no' : undefined) });
    await using client = clientOf(server, { pool: { maxConnections: 1 } });
    expect((await collect(client.send({ ...MAIL, envelope: { ...MAIL.envelope, from: 'spam@example.com' } }))).error).toMatchObject({ outcome: 'refused' });
    expect((await collect(client.send(MAIL))).types).toContain('accepted');
    expect(server.sessions).toHaveLength(2);
    expect(server.messages).toHaveLength(1);
  });
}

it('sends mails one by one to a server that does not know RSET, and not each on a connection of its own', async () => {
  await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'rset', do: 'reply', reply: '502 5.5.1 not here', times: Infinity }] });
  await using client = clientOf(server, { pool: { maxConnections: 1 } });
  const told = await Promise.all(Array.from({ length: 20 }, () => collect(client.send(MAIL))));
  expect(told.map(({ types }) => types.at(-1))).toEqual(Array(20).fill('accepted'));
  expect(server.messages).toHaveLength(20);
  expect(server.sessions).toHaveLength(2);
});

it('says that content which can be read only once is no matter for a retry', async () => {
  await using server = await startServer({ faults: [{ at: 'mail', do: 'reply', reply: '451 4.3.0 later', times: Infinity }] });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL))).error).toMatchObject({ outcome: 'refused', retryable: true });
  expect((await collect(client.send({ ...MAIL, raw: () => Readable.from([MAIL.raw]) }))).error).toMatchObject({ outcome: 'refused', retryable: true, message: expect.stringMatching(/later\. Send it again later\.$/) as string });
  const { error } = await collect(client.send({ ...MAIL, raw: Readable.from([MAIL.raw]) }).pipe(retryWhenSafe({ count: 3, delay: 1 })));
  expect(error).toMatchObject({ code: 'E_REPLY', reply: { code: 451 }, retryable: false, message: expect.stringMatching(/later\. Its content can be read only once: to send it again, give a function that opens it anew\.$/) as string });
});

it('learns that a server throws away what is sent ahead of its answer', async () => {
  await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'rset', do: 'silence', times: Infinity }] });
  await using client = clientOf(server, { pool: { maxConnections: 1 }, timeouts: { command: 300, quit: 50 } });
  const told = await Promise.all(Array.from({ length: 6 }, () => collect(client.send(MAIL))));
  expect(told.map(({ types }) => types.at(-1))).toEqual(Array(6).fill('accepted'));
  expect(server.sessions.length).toBeLessThanOrEqual(2);
});

describe('under fire', () => {
  it('200 senders over 4 connections with faults at random: each mail is told of once, none is lost, none comes twice', async () => {
    const random = (() => { let state = 42; return (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31; })();
    const points = ['mail', 'rcpt', 'data', 'bdat', 'body', 'end-of-data', 'greeting', 'ehlo'] as const;
    const actions = [{ do: 'close' }, { do: 'reset' }, { do: 'half-close' }, { do: 'garbage' }, { do: 'close', reply: '421 4.3.2 busy' }, { do: 'reply', reply: '451 4.3.0 later' }] as const;
    const faults = Array.from({ length: 60 }, (_, index) => ({
      ...actions[Math.floor(random() * actions.length)] ?? { do: 'close' as const },
      at: points[Math.floor(random() * points.length)] ?? 'mail' as const, session: 1 + index,
    }));
    for (const without of [[], ['CHUNKING']]) {
      await using server = await startServer({ faults, without });
      await using client = clientOf(server, { pool: { maxConnections: 4 } });
      let most = 0;
      const watching = client.state$.subscribe(({ busy, idle }) => { most = Math.max(most, busy + idle); });
      const told = await Promise.all(Array.from({ length: 200 }, (_, index) => collect(client.send({
        envelope: { from: `ann${String(index)}@example.com`, to: ['bob@example.org'] }, raw: `Subject: ${String(index)}\r\n\r\n${'x'.repeat(index * 50)}\r\n`,
      }))));
      watching.unsubscribe();
      expect(most).toBeLessThanOrEqual(4);
      for (const [index, { types, error }] of told.entries()) {
        const copies = server.messages.filter(({ from: sender }) => sender === `ann${String(index)}@example.com`);
        expect(types.filter((type) => type === 'accepted')).toHaveLength(error === undefined ? 1 : 0);
        if (error === undefined) expect(copies).toHaveLength(1);
        else expect(copies.length).toBeLessThanOrEqual(error.outcome === 'unknown' ? 1 : 0);
        for (const { content } of copies) expect(content.toString()).toBe(`Subject: ${String(index)}\r\n\r\n${'x'.repeat(index * 50)}\r\n`);
      }
      expect((await collect(defer(() => client.send(MAIL)))).error?.outcome ?? 'accepted').not.toBe('unknown');
    }
  });
});
