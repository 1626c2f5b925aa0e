import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { BulkEvent, Message } from '../../src/index.js';
import { collect } from '../support/collect.js';
import { clientOf, mailOf, mails, outcomes, sendAll } from '../support/many-mails.js';
import { ownWays, usual } from '../support/own-ways.js';

const BDAT = ['PIPELINING', 'CHUNKING'];
const DATA = ['PIPELINING'];

/** To two, so that one reply is missed by nobody at first. */
const toTwo = (count: number): readonly Message[] => mails(count).map((mail) => ({ ...mail, envelope: { from: 'nobody@example.com', ...mail.envelope, to: ['bob@example.org', 'cid@example.org'] } }));

const senders = (events: readonly BulkEvent[]): readonly string[] => events.flatMap((event) => (event.type === 'accepted' ? [event.receipt.envelope.from ?? ''] : []));

describe('a server that loses count', () => {
  /** Forgets the reply to one command, or says one more; refuses each third content. */
  const miscounting = async (at: 'RSET' | 'RCPT', how: 'forgets' | 'repeats') => {
    const refused: string[] = [];
    let commands = 0;
    let contents = 0;
    const door = await ownWays(BDAT, () => (input, socket) => {
      if (input.verb === 'content' && (contents += 1) % 3 === 0) { refused.push(/<(.*)>/.exec(input.from)?.[1] ?? ''); return '554 5.7.1 spam'; }
      if (input.verb !== at || (commands += 1) !== 7) return usual(input);
      if (how === 'forgets') return undefined;
      socket.write(`${usual(input)}\r\n`);
      return usual(input);
    });
    return { ...door, refused };
  };

  it.each([['RSET', 'forgets'], ['RSET', 'repeats'], ['RCPT', 'forgets'], ['RCPT', 'repeats']] as const)('never has refused content told as accepted: %s %s', async (at, how) => {
    await using server = await miscounting(at, how);
    const client = clientOf(server, { timeouts: { command: 200, endOfData: 200, quit: 50 } });
    const events = await sendAll(client, toTwo(60));
    expect(senders(events).filter((from) => server.refused.includes(from))).toEqual([]);
    expect(new Set(outcomes(events))).toContain('unknown end-of-data');
    expect(outcomes(events).slice(-10)).toEqual(expect.arrayContaining(['accepted', 'refused end-of-data']));
    await client.close();
  });
});

it.each([['over DATA', DATA], ['over BDAT', BDAT]] as const)('a refusal of content that is forgotten is not made up by the reply to RSET: %s', async (_, offers) => {
  let contents = 0;
  await using server = await ownWays(offers, () => (input) => {
    if (input.verb !== 'content') return usual(input);
    contents += 1;
    return contents === 5 ? undefined : usual(input);
  });
  const client = clientOf(server, { timeouts: { command: 200, endOfData: 200, quit: 50 } });
  const told = outcomes(await sendAll(client, mails(20)));
  expect(told[4]).toBe('unknown end-of-data');
  expect(told.slice(0, 4)).toEqual(Array(4).fill('accepted'));
  if (offers === DATA) expect(told.slice(5)).toEqual(Array(15).fill('accepted'));
  await client.close();
});

it('a server that says the same to everything is believed', async () => {
  await using server = await ownWays(BDAT, () => (input) => (input.verb === 'QUIT' ? usual(input) : '250 2.0.0 Ok'));
  const client = clientOf(server);
  expect(new Set(outcomes(await sendAll(client, mails(20))))).toEqual(new Set(['accepted']));
  await client.close();
});

describe('a server that announces PIPELINING and bears no two commands at a time', () => {
  it.each(['503 5.5.1 not together', undefined])('gets them one by one: %s', async (reply) => {
    await using server = await ownWays(DATA, () => (input) => (input.place > 0 && input.verb !== 'content' ? reply : usual(input)));
    const client = clientOf(server, { timeouts: { command: 200, quit: 50 } });
    // Silence may come from anywhere, and fails the first.
    const first = await collect(client.send(mailOf(0)));
    if (reply !== undefined) expect(first.types.slice(-5)).toEqual(['ready', 'sender-accepted', 'recipient-accepted', 'progress', 'accepted']);
    else expect(first.error).toMatchObject({ code: 'E_TIMEOUT', phase: 'rcpt', outcome: 'not-sent', retryable: true });
    expect(outcomes(await sendAll(client, mails(5)))).toEqual(Array(5).fill('accepted'));
    await client.close();
  });

  it('has its word where 503 is what it says to a recipient', async () => {
    await using server = await ownWays(DATA, () => (input) => (input.verb === 'RCPT' ? '503 5.5.1 sign in first' : usual(input)));
    const client = clientOf(server);
    const told = await collect(client.send(mailOf(0)));
    expect(told.error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused' });
    expect(told.types.slice(-3)).toEqual(['ready', 'sender-accepted', 'recipient-refused']);
    // And goes on as before, because commands one by one got the same.
    const lines: string[] = [];
    client.log$.subscribe(({ text }) => { lines.push(text.slice(0, 4)); });
    await collect(client.send(mailOf(1)));
    expect(lines.slice(0, 4)).toEqual(['RSET', 'MAIL', 'RCPT', 'DATA']);
    // So do several at a time.
    await Promise.all([2, 3, 4].map((number) => collect(client.send(mailOf(number)))));
    lines.length = 0;
    await collect(client.send(mailOf(5)));
    expect(lines.slice(0, 4)).toEqual(['RSET', 'MAIL', 'RCPT', 'DATA']);
    await client.close();
  });
});

it('a mail that was warned of goes again, unseen, and its warning is told once', async () => {
  // 503 to what comes with the end of a mail.
  await using server = await ownWays(DATA, () => {
    let isTurningAway = false;
    return (input) => {
      if (input.place === 0) isTurningAway = false;
      const reply = isTurningAway ? '503 5.5.1 too early' : usual(input);
      isTurningAway ||= input.verb === 'content';
      return reply;
    };
  });
  const client = clientOf(server);
  const events = await sendAll(client, mails(6).map((mail) => ({ ...mail, dsn: { notify: ['FAILURE'] } })));
  expect(outcomes(events)).toEqual(Array(6).fill('accepted'));
  expect(events.filter((event) => event.type === 'warning').map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  await client.close();
});

it.each([1, 3, 10])('a server that hangs up without a word behind %d mails is soon given no more', async (most) => {
  await using server = await ownWays(BDAT, () => {
    let taken = 0;
    return (input, socket) => {
      if (taken === most) { socket.end(); return undefined; }
      if (input.verb === 'content') taken += 1;
      return usual(input);
    };
  });
  const client = clientOf(server);
  const told = outcomes(await sendAll(client, mails(200)));
  expect(new Set(told)).toEqual(new Set(['accepted', 'unknown end-of-data']));
  // Two connections tell that it is a limit.
  expect(told.filter((outcome) => outcome !== 'accepted').length).toBeLessThanOrEqual(2 * 32);
  expect(told.slice(-100)).toEqual(Array(100).fill('accepted'));
  await client.close();
});

it('a limit that was only chance is found to be none', async () => {
  let sessions = 0;
  await using server = await ownWays(DATA, () => {
    let taken = 0;
    const mayFail = (sessions += 1) <= 2;
    return (input, socket) => {
      if (mayFail && taken === 1) { socket.end(); return undefined; }
      if (input.verb === 'content') taken += 1;
      return usual(input);
    };
  });
  const client = clientOf(server);
  expect(outcomes(await sendAll(client, mails(30)))).toEqual(Array(30).fill('accepted'));
  const before = sessions;
  expect(before).toBeGreaterThan(5);
  expect(outcomes(await sendAll(client, mails(30)))).toEqual(Array(30).fill('accepted'));
  expect(sessions - before).toBeLessThanOrEqual(1);
  await client.close();
});

describe('content that does not get on', () => {
  const LIMITS = { command: 5_000, dataBlock: 200, endOfData: 5_000, quit: 50 };

  it.each([['BDAT', BDAT], ['DATA', DATA], ['DATA in lock-step', []]] as const)('is the fault of its source where that is silent: %s', async (_, offers) => {
    await using server = await ownWays(offers, () => usual);
    const client = clientOf(server, { timeouts: LIMITS });
    for (const raw of [() => new Observable<string>(), async function* () { yield 'Subject: slow\r\n'; await new Promise(() => undefined); }]) {
      const { error } = await collect(client.send({ ...mailOf(0), raw }));
      expect(error).toMatchObject({ code: 'E_TIMEOUT', phase: 'body', outcome: 'not-sent', message: expect.stringContaining("Reading the message's own content") as string });
    }
    await client.close();
  });
});

it('content that the server cannot take is not announced to it, where it is at hand', async () => {
  const seen: string[] = [];
  await using server = await ownWays(DATA, () => (input) => { seen.push(input.verb); return usual(input); });
  const client = clientOf(server);
  const events = await sendAll(client, mails(6).map((mail, index) => (index % 2 === 0 ? mail : { ...mail, raw: 'Subject: Grüße\r\n\r\n' })));
  expect(outcomes(events)).toEqual(['accepted', 'not-sent body', 'accepted', 'not-sent body', 'accepted', 'not-sent body']);
  expect(seen.filter((verb) => verb === 'MAIL')).toHaveLength(3);
  await client.close();
  expect(seen.filter((verb) => verb === 'QUIT')).toHaveLength(1);
});

it('a server that says to the content of a mail that is alone what it says to an envelope is believed', async () => {
  let contents = 0;
  await using server = await ownWays(DATA, () => (input) => (input.verb === 'content' && (contents += 1) > 1 ? '250 2.1.0 Ok' : usual(input)));
  await using client = clientOf(server);
  for (const number of [1, 2, 3]) expect((await collect(client.send(mailOf(number)))).error).toBeUndefined();
});

describe('a refusal of all recipients whose 354 is answered by a lone dot', () => {
  /** Refuses the first mail, and answers its dot only at the RSET behind it, or at once. */
  const serve = (isLate: boolean, connected: () => void): ReturnType<typeof ownWays> => ownWays(DATA, () => {
    connected();
    return (input, socket) => {
      if (input.text === '.') return isLate ? undefined : '554 5.5.1 Nobody';
      if (isLate && input.verb === 'RSET') socket.write('554 5.5.1 Nobody\r\n');
      return input.verb === 'RCPT' && input.from.includes('ann1@') ? '550 5.1.1 No such user' : usual(input);
    };
  });

  it.each([['is told before the reply to that, and the next mail goes out behind it', 32, true], ['is told behind it where one mail may be on its way at a time, and the connection serves the next one', 1, false]] as const)('%s', async (_, depth, isLate) => {
    let sessions = 0;
    await using server = await serve(isLate, () => { sessions += 1; });
    await using client = clientOf(server, { pipelining: { depth }, timeouts: { quit: 50 } });
    expect((await collect(client.send(mailOf(1)))).error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused' });
    expect((await collect(client.send(mailOf(2)))).error).toBeUndefined();
    expect(sessions).toBe(1);
  });

  it('is told all the same where that never comes', async () => {
    await using server = await serve(true, () => undefined);
    await using client = clientOf(server, { pipelining: { depth: 1 }, timeouts: { quit: 50, command: 100 } });
    expect((await collect(client.send(mailOf(1)))).error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused' });
  });
});

it('a reply that has begun before the content has left is none to it', async () => {
  let said = '';
  await using server = await ownWays(DATA, () => (input, socket) => {
    said += `${input.text}\n`;
    if (input.verb !== 'DATA') return usual(input);
    socket.write('354 go\r\n250 2.0.0 O');
    setTimeout(() => { socket.write('k\r\n'); }, 50);
    return undefined;
  });
  await using client = clientOf(server);
  expect((await collect(client.send(mailOf(1)))).error).toMatchObject({ code: 'E_PROTOCOL', phase: 'body', outcome: 'unknown' });
  expect(said).not.toContain('Subject');
});
