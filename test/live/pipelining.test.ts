import { setImmediate } from 'node:timers/promises';
import { filter, firstValueFrom, NEVER } from 'rxjs';
import MimeNode from 'nodemailer/lib/mime-node';
import { describe, expect, it, vi } from 'vitest';
import type { Message } from '../../src/index.js';
import { startServer, type TestServer } from '../../src/testing/index.js';
import { collect } from '../support/collect.js';
import { listen } from '../support/listen.js';
import { clientOf, mailOf, mails, outcomes, sendAll } from '../support/many-mails.js';
import { WAYS } from '../support/ways.js';

/** Every body arrived in its own envelope. */
const expectPaired = ({ messages }: TestServer): void => {
  for (const { from, content } of messages) expect(`ann${/^Subject: (\d+)/.exec(content.toString())?.[1] ?? ''}@example.com`).toBe(from);
};

for (const [way, without] of Object.entries(WAYS)) {
  describe(`many mails on one connection ${way}`, () => {
    it('arrive whole, in order, each in its own envelope', async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server);
      expect(outcomes(await sendAll(client, mails(50)))).toEqual(Array(50).fill('accepted'));
      expect(server.messages.map(({ from }) => from)).toEqual(mails(50).map((_, index) => `ann${String(index)}@example.com`));
      expectPaired(server);
      expect(server.sessions).toHaveLength(1);
    });

    it('do not suffer from a refused sender, recipient or content in their midst', async () => {
      await using server = await startServer({
        without,
        onSender: (path) => (path === 'ann3@example.com' ? '550 5.7.1 not you' : undefined),
        onRecipient: (path) => (path === 'nobody@example.org' ? '550 5.1.1 no such user' : undefined),
        onMessage: ({ from }) => (from === 'ann11@example.com' ? '554 5.6.0 not this' : undefined),
      });
      await using client = clientOf(server);
      const source = mails(20).map((mail, index) => (index === 7 ? mailOf(index, 'nobody@example.org') : mail));
      const told = outcomes(await sendAll(client, source));
      expect(told).toEqual(told.map((_, index) => (index === 3 ? 'refused mail' : index === 7 ? 'refused rcpt' : index === 11 ? 'refused end-of-data' : 'accepted')));
      expectPaired(server);
      expect(server.messages).toHaveLength(17);
      expect(server.sessions).toHaveLength(1);
    });

    it('that a dying connection took along are unknown, or go out on the next; none is lost, none comes twice', async () => {
      await using server = await startServer({ without, faults: [{ at: 'end-of-data', session: 1, do: 'close', times: 1 }] });
      await using client = clientOf(server);
      const told = outcomes(await sendAll(client, mails(30)));
      expect(told).toHaveLength(30);
      const unknown = told.filter((outcome) => outcome === 'unknown end-of-data').length;
      expect(unknown).toBeGreaterThan(0);
      expect(unknown + told.filter((outcome) => outcome === 'accepted').length).toBe(30);
      for (const [index, outcome] of told.entries())
        expect(server.messages.filter(({ from }) => from === `ann${String(index)}@example.com`).length).toBeLessThanOrEqual(outcome === 'accepted' ? 1 : Infinity);
      expectPaired(server);
    });
  });
}

describe('small composed messages', () => {
  const COMPOSED: Message = { from: 'ann@example.com', to: 'bob@example.org', subject: 'Hi', text: 'Hi', attachments: [{ filename: 'a.txt', content: 'Hi' }] };

  it.each([['over BDAT', []], ['over DATA', ['CHUNKING']]])('go out while others are on their way, %s', async (_, without) => {
    await using server = await startServer({ without, faults: [{ at: 'end-of-data', do: 'delay', ms: 100 }] });
    await using client = clientOf(server);
    const said: string[] = [];
    client.log$.subscribe(({ from, text }) => { said.push(`${from} ${text}`); });
    expect(outcomes(await sendAll(client, Array<Message>(5).fill(COMPOSED)))).toEqual(Array(5).fill('accepted'));
    const taken = said.findIndex((line) => line.includes('queued as'));
    expect(said.slice(0, taken).filter((line) => line.includes('MAIL FROM')).length).toBeGreaterThan(1);
    expect(server.sessions).toHaveLength(1);
  });

  it('stay out of doubt until their envelope was answered, where nothing is on its way', async () => {
    await using server = await startServer({ faults: [{ at: 'rcpt', do: 'close' }] });
    await using client = clientOf(server);
    expect((await collect(client.send(COMPOSED))).error).toMatchObject({ phase: 'rcpt', outcome: 'not-sent', retryable: true });
  });

  it('fail before anything is said where the composer does', async () => {
    await using server = await startServer();
    await using client = clientOf(server);
    const building = vi.spyOn(MimeNode.prototype, 'build').mockRejectedValue(new Error('no such charset'));
    expect((await collect(client.send(COMPOSED))).error).toMatchObject({ code: 'E_SOURCE', phase: 'body', outcome: 'not-sent', message: 'The message could not be composed: no such charset. Mend what it holds, or send it as "raw".' });
    building.mockRestore();
    expect((await collect(client.send(COMPOSED))).error).toBeUndefined();
    expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: MAIL'))).toHaveLength(1);
  });
});

it('a mail that is begun in the very turn in which its connection falls out of step was not sent, and goes out on another one', async () => {
  await using server = await startServer({ faults: [{ at: 'rset', do: 'reply', reply: '250 2.0.0 queued as 4ABCdef1234', skip: 20 }] });
  await using client = clientOf(server);
  const told = outcomes(await sendAll(client, mails(60)));
  const inDoubt = told.flatMap((outcome, index) => (outcome === 'unknown end-of-data' ? [`C: MAIL FROM:<ann${String(index)}@example.com>`] : []));
  expect(inDoubt.length).toBeGreaterThan(0);
  expect(inDoubt.filter((mail) => !server.sessions[0]?.lines.some((line) => line.startsWith(mail)))).toEqual([]);
  expect(told.filter((outcome) => outcome === 'accepted')).toHaveLength(60 - inDoubt.length);
});

describe('content that left with an envelope that failed', () => {
  const TWO: Message = { ...mailOf(1), envelope: { from: 'ann1@example.com', to: ['bob@example.org', 'cid@example.org'] } };

  it.each([
    ['is in doubt when the server takes it for one, and answers the other out of step', [{ at: 'rcpt', do: 'reply', reply: '354 what', skip: 2 }]],
    ['is in doubt when the server takes it, and answers everybody out of step', [{ at: 'rcpt', do: 'reply', reply: '354 what', skip: 1, times: 2 }]],
    ['is in doubt when the server hangs up behind a reply that is out of step', [{ at: 'rcpt', do: 'reply', reply: '354 what', skip: 2 }, { at: 'bdat', do: 'close', skip: 1 }]],
  ] as const)('%s', async (_, faults) => {
    await using server = await startServer({ faults });
    await using client = clientOf(server);
    await collect(client.send(mailOf(0)));
    expect((await collect(client.send(TWO))).error).toMatchObject({ phase: 'end-of-data', outcome: 'unknown', retryable: false });
    expect(server.messages.length).toBeLessThanOrEqual(2);
  });
});

it('content behind a mail that failed waits for RSET, or it would reach that one\'s recipients where RSET is refused', async () => {
  await using server = await startServer({ faults: [{ at: 'rset', do: 'reply', reply: '451 not now', times: Infinity, session: 1 }] });
  await using client = clientOf(server);
  async function* broken(): AsyncGenerator<string> { yield 'Subject: broken\r\n'; await Promise.reject(new Error('no more')); }
  expect((await collect(client.send({ ...mailOf(0), raw: broken() }))).error).toMatchObject({ code: 'E_SOURCE', outcome: 'not-sent' });
  expect((await collect(client.send(mailOf(1, 'eve@example.org')))).error).toBeUndefined();
  expect(server.messages.map(({ from, to }) => [from, to])).toEqual([['ann1@example.com', ['eve@example.org']]]);
  expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: BDAT'))).toEqual([]);
});

it.each([undefined, '554 5.7.1 no'])('content behind a mail that was cancelled waits for RSET too, while one before it is still under way, or answered with %s', async (reply) => {
  const refused = { at: 'rset', do: 'reply', reply: '451 not now', skip: 2, times: Infinity, session: 1 } as const;
  await using server = await startServer({ faults: [refused, { at: 'end-of-data', do: 'delay', ms: 50, skip: 2, ...(reply === undefined ? {} : { reply }) }] });
  await using client = clientOf(server);
  await sendAll(client, mails(2));
  const slow = collect(client.send(mailOf(2)));
  const hasBegun = firstValueFrom(client.log$.pipe(filter(({ text }) => text === 'RCPT TO:<cancelled@example.org>')));
  const cancelled = client.send({ ...mailOf(3, 'cancelled@example.org'), raw: NEVER }).subscribe();
  await hasBegun;
  // Until it has left, it could be withdrawn.
  await setImmediate();
  cancelled.unsubscribe();
  if (reply !== undefined) expect((await slow).error).toMatchObject({ phase: 'end-of-data', outcome: 'refused' });
  const next = collect(client.send(mailOf(4, 'eve@example.org')));
  if (reply === undefined) expect((await slow).error).toBeUndefined();
  expect((await next).error).toBeUndefined();
  expect(server.messages.slice(2).map(({ from, to }) => [from, to])).toEqual([...(reply === undefined ? [['ann2@example.com', ['bob@example.org']]] : []), ['ann4@example.com', ['eve@example.org']]]);
});

it.each([
  ['answers an earlier one out of step', '354 what', undefined, 'unknown'],
  ['refuses an earlier one and takes the last', '452 4.3.1 full', '250 2.0.0 taken', 'unknown'],
  ['refuses an earlier one and the last', '452 4.3.1 full', undefined, 'refused'],
])('content whose last chunk has left when the server %s is told so', async (_, early, last, outcome) => {
  await using server = await startServer({ faults: [{ at: 'bdat', do: 'delay', ms: 100, reply: early }, ...(last === undefined ? [] : [{ at: 'bdat' as const, do: 'reply' as const, reply: last, times: Infinity }])] });
  await using client = clientOf(server);
  const hasLeft = firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content'))));
  const told = collect(client.send({ ...mailOf(1), raw: 'x'.repeat(3_000_000) }));
  await hasLeft;
  expect((await told).error).toMatchObject({ outcome, retryable: outcome === 'refused' });
});

describe('round trips', () => {
  /** Counts how often the server had to wait for the client. */
  const counting = async (keywords: readonly string[]) => {
    let waits = 0;
    let mails = 0;
    const door = await listen((socket) => {
      let text = '';
      let skip = 0;
      let isContent = false;
      socket.write('220 counting\r\n');
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        const replies: string[] = [];
        for (;;) {
          if (skip > 0) {
            if (text.length < skip) break;
            text = text.slice(skip);
            skip = 0;
            mails += 1;
            replies.push('250 ok');
          }
          const end = isContent ? text.indexOf('\r\n.\r\n') : text.indexOf('\r\n');
          if (end < 0) break;
          const line = text.slice(0, end);
          text = text.slice(end + (isContent ? 5 : 2));
          if (isContent) { isContent = false; mails += 1; replies.push('250 ok'); }
          else if (line.startsWith('EHLO')) replies.push(...['counting', ...keywords].map((word, index) => `250${index === keywords.length ? ' ' : '-'}${word}`));
          else if (line.startsWith('BDAT')) skip = Number(line.split(' ')[1]);
          else if (line === 'DATA') { isContent = true; replies.push('354 go'); }
          else replies.push(line === 'QUIT' ? '221 bye' : '250 ok');
        }
        if (replies.length > 0) { waits += 1; socket.write(replies.map((reply) => `${reply}\r\n`).join('')); }
      });
    });
    return { ...door, counts: () => ({ waits, mails }) };
  };

  it.each([
    ['CHUNKING: hardly any', ['PIPELINING', 'CHUNKING'], 0.2],
    ['PIPELINING: one for each mail', ['PIPELINING'], 1.2],
    ['neither: four for each mail', ['8BITMIME'], 4.2],
  ])('%s', async (_, keywords, most) => {
    await using server = await counting(keywords);
    const client = clientOf(server);
    await sendAll(client, mails(100));
    await client.close();
    const { waits, mails: taken } = server.counts();
    expect(taken).toBe(100);
    expect(waits / 100).toBeLessThan(most);
  });
});

it.each([[1, 12], [500, 4]])('runs ahead of a server by no more than 2,000 replies: mails to %d, %d at a time', async (recipients, most) => {
  await using server = await startServer();
  await using client = clientOf(server);
  const to = Array.from({ length: recipients }, (_, index) => `r${String(index)}@example.org`);
  const source = mails(12).map((mail) => ({ ...mail, envelope: { from: 'ann@example.com', to } }));
  // Trust comes first.
  await sendAll(client, mails(2));
  await sendAll(client, source.slice(0, 1));
  const inFlight: number[] = [];
  const watching = client.state$.subscribe((state) => { inFlight.push(state.inFlight); });
  const told = outcomes(await sendAll(client, source));
  watching.unsubscribe();
  expect(told).toEqual(Array(12).fill('accepted'));
  expect(Math.max(...inFlight)).toBe(most);
});

describe('cancelling one of many', () => {
  it('leaves the others alone', async () => {
    for (const without of Object.values(WAYS)) {
      await using server = await startServer({ without, faults: [{ at: 'mail', do: 'delay', ms: 20, times: 5 }] });
      await using client = clientOf(server);
      const told = mails(10).map((mail) => {
        const events: string[] = [];
        const subscription = client.send(mail).subscribe({ next: ({ type }) => events.push(type), error: () => events.push('error') });
        return { events, subscription };
      });
      told[4]?.subscription.unsubscribe();
      told[9]?.subscription.unsubscribe();
      await client.close();
      for (const [index, { events }] of told.entries()) expect(events.at(-1) === 'accepted').toBe(index !== 4 && index !== 9);
      expect(told[9]?.events).toEqual([]);
      expectPaired(server);
    }
  });

  it.each([['over BDAT', []], ['over DATA', ['CHUNKING']]])('sends nothing of a mail that has not left, and keeps the connection: %s', async (_, without) => {
    await using server = await startServer({ without, faults: [{ at: 'end-of-data', do: 'delay', ms: 20 }] });
    await using client = clientOf(server);
    const lines: string[] = [];
    client.log$.subscribe(({ text }) => { lines.push(text); });
    const first = collect(client.send(mailOf(1)));
    await firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content'))));
    const second = client.send(mailOf(2)).subscribe();
    const third = collect(client.send(mailOf(3)));
    const fourth = client.send(mailOf(4)).subscribe();
    second.unsubscribe();
    fourth.unsubscribe();
    for (const { error } of [await first, await third]) expect(error).toBeUndefined();
    expect(server.messages.map(({ from }) => from)).toEqual(['ann1@example.com', 'ann3@example.com']);
    expect(server.sessions.map((session) => session.lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([2]);
    expect(lines.some((line) => /^(?:RSET|MAIL FROM:<ann2@example.com>) was taken back before it left$/.test(line))).toBe(true);
    expectPaired(server);
  });
});
