import { setImmediate } from 'node:timers/promises';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { SmtpEvent } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { collect, type Told } from '../support/collect.js';
import { listen } from '../support/listen.js';
import { clientOf, mailOf, mails, outcomes, sendAll } from '../support/many-mails.js';

describe('a server that does not bear what it announced', () => {
  /** Answers 503 to whatever was sent behind the dot before the dot was answered. */
  const touchy = async () => {
    const taken: string[] = [];
    const door = await listen((socket) => {
      let text = '';
      let from = '';
      let isContent = false;
      let refuses = 0;
      socket.write('220 touchy\r\n');
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf(isContent ? '\r\n.\r\n' : '\r\n'); end >= 0; end = text.indexOf(isContent ? '\r\n.\r\n' : '\r\n')) {
          const line = text.slice(0, end);
          text = text.slice(end + (isContent ? 5 : 2));
          if (isContent) {
            isContent = false;
            taken.push(from);
            refuses = (text.match(/\r\n/g) ?? []).length;
            socket.write('250 queued\r\n');
          } else if (refuses > 0) {
            refuses -= 1;
            socket.write('503 5.5.1 pipelined after the end of data\r\n');
          } else if (line.startsWith('EHLO')) socket.write('250-touchy\r\n250 PIPELINING\r\n');
          else if (line === 'DATA') { isContent = true; socket.write('354 go\r\n'); }
          else {
            if (line.startsWith('MAIL')) from = line;
            socket.write(line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
          }
        }
      });
    });
    return { ...door, taken };
  };

  it('gets its mails one by one, and nobody notices', async () => {
    await using server = await touchy();
    const client = clientOf(server);
    expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('accepted'));
    await client.close();
    expect(new Set(server.taken).size).toBe(20);
    expect(server.taken).toHaveLength(20);
  });

  it('gets the commands of a mail together also behind a whole burst that it turned away', async () => {
    const isMail = (line: string): boolean => line.startsWith('C: MAIL');
    await using server = await startServer({ faults: [{ at: 'mail', skip: 1, times: 6, do: 'reply', reply: '503 5.5.1 not now' }] });
    const client = clientOf(server);
    expect(outcomes(await sendAll(client, mails(8)))).toEqual(Array(8).fill('accepted'));
    const writes: string[] = [];
    client.log$.subscribe(({ text }) => { writes.push(text); });
    expect((await collect(client.send(mailOf(9)))).error).toBeUndefined();
    expect(writes.slice(0, 3).map((text) => text.split(' ')[0])).toEqual(['MAIL', 'RCPT', 'BDAT']);
    await client.close();
    expect(server.sessions.flatMap(({ lines }) => lines).filter(isMail).length).toBeGreaterThan(9);
  });
});

describe('a server that hangs up on what was sent ahead of its answer', () => {
  const OFFERS = { DATA: '250-impatient\r\n250 PIPELINING\r\n', BDAT: '250-impatient\r\n250-PIPELINING\r\n250 CHUNKING\r\n' };

  /** Leaves if something waits behind a content: when it has answered that, or without an answer. */
  const impatient = async (offers: string, answersFirst: boolean) => {
    let sessions = 0;
    const door = await listen((socket) => {
      let text = '';
      let isContent = false;
      sessions += 1;
      socket.write('220 impatient\r\n');
      const took = (end: number): void => {
        text = text.slice(end);
        if (text === '' || answersFirst) socket.write('250 queued\r\n');
        if (text !== '') socket.end();
      };
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf(isContent ? '\r\n.\r\n' : '\r\n'); end >= 0 && !socket.writableEnded; end = text.indexOf(isContent ? '\r\n.\r\n' : '\r\n')) {
          const line = text.slice(0, end);
          const content = end + 2 + Number(/^BDAT (\d+)/.exec(line)?.[1]);
          if (isContent) {
            isContent = false;
            took(end + 5);
          } else if (content >= 0) {
            if (text.length < content) return;
            took(content);
          } else {
            text = text.slice(end + 2);
            isContent = line === 'DATA';
            socket.write(line.startsWith('EHLO') ? offers : isContent ? '354 go\r\n' : '250 ok\r\n');
          }
        }
      });
    });
    return { ...door, sessions: () => sessions };
  };

  it.each(['DATA', 'BDAT'] as const)('gets its mails one by one, once a mail alone has passed the number where it hung up: %s', async (way) => {
    await using server = await impatient(OFFERS[way], true);
    const client = clientOf(server);
    await sendAll(client, mails(40));
    const before = server.sessions();
    expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('accepted'));
    expect(server.sessions()).toBe(before);
    await client.close();
  });

  it.each(['DATA', 'BDAT'] as const)('gets them one by one at its third connection, if it took none before: %s', async (way) => {
    await using server = await impatient(OFFERS[way], false);
    const client = clientOf(server);
    await sendAll(client, mails(20));
    expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('accepted'));
    expect(server.sessions()).toBe(3);
    await client.close();
  });
});

describe('a server that throws away what waits behind a mail', () => {
  /** Both ends share the loop: what one has written in a turn, the other has read two turns later. */
  const turns = async (count: number): Promise<void> => { for (let turn = 0; turn < count; turn += 1) await setImmediate(); };

  /** Takes its time for content, and empties its input at the end of each mail. */
  const forgetful = async () => {
    const taken: string[] = [];
    const door = await listen((socket) => {
      let input = '';
      let isContent: (() => boolean) | undefined;
      const take = (): void => {
        const name = /Subject: (\S+)/.exec(input)?.[1] ?? '';
        isContent = () => false;
        void turns(20).then(() => {
          taken.push(name);
          input = '';
          isContent = undefined;
          socket.write(`250 2.0.0 queued as Q${name}00\r\n`);
        });
      };
      socket.write('220 forgetful\r\n');
      socket.on('data', (chunk) => {
        input += chunk.toString('latin1');
        for (let end = input.indexOf('\r\n'); isContent === undefined && end >= 0; end = input.indexOf('\r\n')) {
          const [verb = '', size] = input.slice(0, end).split(' ');
          input = input.slice(end + 2);
          if (verb === 'BDAT') isContent = () => input.length >= Number(size);
          else if (verb === 'DATA') isContent = () => input.endsWith('\r\n.\r\n');
          if (verb !== 'BDAT') socket.write(verb === 'EHLO' ? '250-forgetful\r\n250-PIPELINING\r\n250 CHUNKING\r\n' : verb === 'DATA' ? '354 go\r\n' : '250 ok\r\n');
        }
        if (isContent?.() === true) take();
      });
    });
    return { ...door, taken };
  };

  /** What was told accepted is what the server says it took, each mail by its own name; the others are in doubt. */
  const expectHonest = (told: readonly SmtpEvent[], { taken }: { readonly taken: readonly string[] }, failures: readonly unknown[], lost: number): void => {
    const accepted = told.flatMap((event) => (event.type === 'accepted' ? [event.receipt] : []));
    for (const { queueId, envelope } of accepted) expect(`ann${queueId?.slice(1, -2) ?? ''}@example.com`).toBe(envelope.from);
    expect(accepted.map(({ queueId = '' }) => queueId.slice(1, -2)).sort()).toEqual([...taken].sort());
    expect(failures).toHaveLength(lost);
    for (const failure of failures) expect(failure).toMatchObject({ code: 'E_TIMEOUT', outcome: 'unknown' });
  };

  it('is found out by the first that were sent ahead, and the rest goes one by one', async () => {
    await using server = await forgetful();
    const client = clientOf(server, { timeouts: { command: 200, endOfData: 200, quit: 50 } });
    const told = await sendAll(client, mails(24));
    const failures = told.flatMap((event) => (event.type === 'failed' ? [event.error] : []));
    expectHonest(told as unknown as SmtpEvent[], server, failures, 7);
    await client.close();
  });

  it('is not trusted for a mail that went alone, because the one in front of it was taken back', async () => {
    await using server = await forgetful();
    const client = clientOf(server, { timeouts: { command: 200, endOfData: 200, quit: 50 } });
    await collect(client.send(mailOf(0)));
    const cancelled = client.send(mailOf(1)).subscribe();
    const sends = [collect(client.send(mailOf(2)))];
    cancelled.unsubscribe();
    await sends[0];
    for (let number = 3; number < 8; number += 1) {
      sends.push(collect(client.send(mailOf(number))));
      await turns(8);
    }
    const told = await Promise.all(sends);
    server.taken.splice(0, 1);
    expectHonest(told.flatMap(({ events }) => events), server, told.flatMap(({ error }) => error ?? []), 1);
    await client.close();
  });

  it('is told from the others by mails that come now and then, too', async () => {
    await using server = await forgetful();
    const client = clientOf(server, { timeouts: { command: 200, endOfData: 200, quit: 50 } });
    const sends: Promise<Told>[] = [];
    for (const mail of mails(10)) {
      sends.push(collect(client.send(mail)));
      await turns(8);
    }
    const told = await Promise.all(sends);
    expectHonest(told.flatMap(({ events }) => events), server, told.flatMap(({ error }) => error ?? []), 1);
    await client.close();
  });
});

it.each([10, 20_000, 100_000])('trusts a server that has answered one mail ahead with many: %d bytes each', async (bytes) => {
  await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'delay', ms: 5, times: Infinity }] });
  await using client = clientOf(server);
  const inFlight: number[] = [];
  const watching = client.state$.subscribe((state) => { inFlight.push(state.inFlight); });
  const told = outcomes(await sendAll(client, mails(12).map((mail) => ({ ...mail, raw: Buffer.alloc(bytes, 'line\r\n') }))));
  watching.unsubscribe();
  expect(told).toEqual(Array(12).fill('accepted'));
  expect(Math.max(...inFlight)).toBeGreaterThan(8);
});

it('does not take a line that falls silent for the manners of a server that it knows', async () => {
  await using server = await startServer({ faults: [{ at: 'mail', session: 1, skip: 2, do: 'silence', times: Infinity }] });
  await using client = clientOf(server, { timeouts: { command: 100, quit: 50 } });
  await sendAll(client, mails(2));
  const told = outcomes(await sendAll(client, mails(4)));
  expect(told.filter((outcome) => outcome === 'unknown end-of-data').length).toBeGreaterThan(1);
  const inFlight: number[] = [];
  const watching = client.state$.subscribe((state) => { inFlight.push(state.inFlight); });
  expect(outcomes(await sendAll(client, mails(12)))).toEqual(Array(12).fill('accepted'));
  watching.unsubscribe();
  expect(Math.max(...inFlight)).toBe(12);
});

it('has one mail ahead of a server that it does not know yet, when they come one by one', async () => {
  await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'delay', ms: 100, times: 2 }] });
  await using client = clientOf(server);
  const states: string[] = [];
  client.state$.subscribe(({ inFlight, waiting }) => { states.push(`${String(inFlight)}+${String(waiting)}`); });
  const left = client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content')));
  const sends: Promise<Told>[] = [];
  for (const [index, mail] of mails(3).entries()) {
    const hasLeft = firstValueFrom(left, { defaultValue: undefined });
    sends.push(collect(client.send(mail)));
    if (index < 2) await hasLeft;
    // What left must not be gathered with the next.
    await setImmediate();
  }
  expect(states.at(-1)).toBe('2+1');
  for (const { error } of await Promise.all(sends)) expect(error).toBeUndefined();
});
