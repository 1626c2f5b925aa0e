import { setImmediate as turn } from 'node:timers/promises';
import { filter, firstValueFrom, NEVER, Subject, Subscription, type SchedulerLike } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { draft, type Mail } from '../../src/message/mail.js';
import { SmtpReplyError, type SmtpError } from '../../src/protocol/error.js';
import type { TransactionEvent } from '../../src/protocol/event.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Timeouts } from '../../src/protocol/timeouts.js';
import { Manners } from '../../src/session/manners.js';
import { transact } from '../../src/session/transaction.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { FakeStream } from '../support/fake-stream.js';
import { sessionOn, wireOn } from '../support/fake-wire.js';

interface Surroundings {
  readonly to?: readonly string[];
  /** The recipients may be told in several transactions. */
  readonly inParts?: boolean;
  readonly behind?: 'a failed mail' | 'a mail in flight';
  readonly timeouts?: Partial<Timeouts>;
  readonly operation?: number;
  readonly scheduler?: SchedulerLike;
  /** What the server says within the very call that writes to it first. */
  readonly atOnce?: string;
}

/** One mail on a connection whose bytes a test deals out. */
const begin = (offers: readonly string[], raw: string | AsyncIterable<string>, { to = ['bob@example.org'], inParts = false, behind, timeouts = {}, operation = Infinity, scheduler = monotonic, atOnce }: Surroundings = {}) => {
  const server = new Subject<Buffer>();
  const stream = new FakeStream(server);
  if (atOnce !== undefined) vi.spyOn(stream, 'write').mockImplementationOnce((chunk) => {
    stream.write(chunk);
    server.next(Buffer.from(atOnce));
  });
  const wire = wireOn(stream, { timeouts, scheduler });
  const manners = new Manners();
  const session = sessionOn(wire, offers, manners);
  const before = behind === undefined ? undefined : session.begin();
  if (behind === 'a failed mail') before?.ended();
  const mail = draft({ envelope: { from: 'ann@example.com', to }, raw }) as Mail;
  const told: string[] = [];
  const told$ = new Subject<string>();
  told$.subscribe((what) => { told.push(what); });
  transact(session.begin(), { mail, part: inParts ? { due: mail.envelope.to, most: Infinity, named: [], borne: 0 } : undefined, content: mail.open(), operation: deadline(monotonic, 'operation', operation) }, {
    next: ({ type }: TransactionEvent) => { told$.next(type); },
    error: ({ code, phase, outcome, retryable }: SmtpError) => { told$.next(`${code} ${phase} ${outcome}${retryable ? ' retryable' : ''}`); },
    complete: () => { told$.next('end'); },
  });
  return { says: (text: string) => { server.next(Buffer.from(text)); }, hangsUp: () => { server.complete(); }, stream, wire, manners, told, told$ };
};

it('a mail goes out as it was begun, also where its server is found to bear less meanwhile', () => {
  const { says, stream, manners, told } = begin(['PIPELINING', 'CHUNKING', '8BITMIME'], 'x'.repeat(300_000));
  // On another connection to the same door, a mail was turned away that was ahead, and then one that was not.
  manners.bearing.refusedAhead();
  manners.bearing.failedInGroup(new SmtpReplyError({ phase: 'rcpt', command: 'RCPT', reply: makeReply(503, ['not now']), message: 'turned away' }));
  expect(manners.bearing.bearsCommands).toBe(false);
  says('250 sender ok\r\n250 recipient ok\r\n');
  const commands = (): readonly string[] => stream.written.filter((text) => /^[A-Z]/.test(text));
  for (let answered = 1; answered < commands().length; answered += 1) says('250 got it\r\n');
  const [envelope, ...chunks] = commands();
  expect(envelope).toBe('MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.org>\r\n');
  expect(chunks.map((chunk) => chunk.slice(0, 5))).toEqual(Array(chunks.length).fill('BDAT '));
  expect(told.at(-1)).toBe('end');
});

it.each([
  ['with each chunk where they take their time', 100, (chunks: number) => chunks],
  ['with the first and the last one where they take none', 0, () => 2],
])('progress is told %s', (_, milliseconds, expected) => {
  let now = 0;
  const scheduler = { now: () => (now += milliseconds), schedule: () => Subscription.EMPTY };
  const { says, stream, told } = begin(['PIPELINING', 'CHUNKING', '8BITMIME'], 'x'.repeat(600_000), { scheduler });
  says('250 sender ok\r\n250 recipient ok\r\n');
  const chunks = stream.written.filter((text) => text.startsWith('BDAT ')).length;
  expect(chunks).toBeGreaterThan(2);
  expect(told.filter((type) => type === 'progress')).toHaveLength(expected(chunks));
});

describe('a mail that left at once', () => {
  it.each([
    ['is in doubt where one of its replies was too many', ['250 Ok\r\n250 Ok\r\n250 Ok\r\n550 5.6.0 not this\r\n'], 'E_PROTOCOL end-of-data unknown'],
    ['is in doubt where garbage came with its replies', ['250 Ok\r\n250 Ok\r\n250 Ok\r\nHTTP/1.1 400\r\n'], 'E_PROTOCOL end-of-data unknown'],
    ['is in doubt where one of its replies was too many, though all say no', ['550 no\r\n503 no\r\n503 no\r\n503 no\r\n'], 'E_PROTOCOL end-of-data unknown'],
    ['is in doubt where a recipient was taken without a sender', ['503 what\r\n250 Ok\r\n250 Ok\r\n'], 'E_PROTOCOL end-of-data unknown'],
    ['is accepted where the server says goodbye behind it', ['250 Ok\r\n250 Ok\r\n250 queued\r\n421 4.4.2 bye\r\n'], 'end'],
    ['is accepted where its last reply came alone, whatever came behind', ['250 Ok\r\n250 Ok\r\n', '250 queued\r\n250 again\r\n'], 'end'],
  ])('%s', (_, replies, end) => {
    const { says, wire, told } = begin(['PIPELINING', 'CHUNKING'], 'Subject: small\r\n\r\n');
    replies.forEach(says);
    expect(told.at(-1)).toBe(end);
    expect(wire.failed).toBe(true);
  });
});

describe('a mail that left at once with a RSET that is refused', () => {
  const MAIL_AT_ONCE = [['PIPELINING', 'CHUNKING'], 'Subject: small\r\n\r\n'] as const;

  it('is in doubt where a server that goes on is not heard in time', async () => {
    const { says, told, told$ } = begin(...MAIL_AT_ONCE, { behind: 'a mail in flight', timeouts: { command: 10 } });
    const end = firstValueFrom(told$);
    says('502 5.5.1 what?\r\n');
    await end;
    expect(told).toEqual(['E_TIMEOUT end-of-data unknown']);
  });

  it('was not sent where the connection ends', () => {
    const { says, hangsUp, told } = begin(...MAIL_AT_ONCE, { behind: 'a mail in flight' });
    says('502 5.5.1 what?\r\n');
    hangsUp();
    expect(told).toEqual(['E_REPLY reset not-sent retryable']);
  });
});

describe('content that is answered before it has left', () => {
  const RAW = 'Subject: small\r\n\r\n';

  it.each([
    ['354 go\r\n250 queued\r\n', 'E_PROTOCOL body unknown'],
    ['354 go\r\n552 too big\r\n', 'E_REPLY body refused'],
    ['354 go\r\n452 not now\r\n', 'E_REPLY body refused retryable'],
    ['354 go\r\n354 go\r\n', 'E_PROTOCOL body not-sent'],
  ])('is told alike wherever the reply was cut: %j', (replies, end) => {
    const early = replies.indexOf('\n') + 2;
    for (let place = early; place <= replies.length; place += 1) {
      const { says, stream, wire, told } = begin(['PIPELINING'], RAW);
      says(`250 Ok\r\n250 Ok\r\n${replies.slice(0, place)}`);
      expect(stream.written).toHaveLength(1);
      expect(told).not.toContain('progress');
      says(replies.slice(place));
      expect(told.at(-1)).toBe(end);
      expect(wire.mustDrop).toBe(true);
    }
  });

  it('is not, and no dot either, where all recipients were refused and something came behind the 354', () => {
    for (const more of ['5', '554 no\r\n']) {
      const { says, stream, wire, told } = begin(['PIPELINING'], RAW);
      says(`250 Ok\r\n550 no\r\n354 go\r\n${more}`);
      expect(stream.written).toHaveLength(1);
      expect(told.at(-1)).toBe('E_REPLY rcpt refused');
      expect(wire.mustDrop).toBe(true);
    }
  });

  it('is told alike where the reply begins in the midst of a stream', async () => {
    const gate = new Subject<void>();
    const hasEnded = new Subject<void>();
    async function* slow() { yield RAW; await firstValueFrom(gate); yield 'end\r\n'; hasEnded.next(); }
    const { says, stream, told, told$ } = begin(['PIPELINING'], slow());
    says('250 Ok\r\n250 Ok\r\n354 go\r\n');
    await firstValueFrom(told$.pipe(filter((type) => type === 'progress')));
    says('25');
    const ended = firstValueFrom(hasEnded);
    gate.next();
    await ended;
    await turn();
    expect(stream.written.at(-1)).toBe(RAW);
    says('0 queued\r\n');
    expect(told.at(-1)).toBe('E_PROTOCOL body unknown');
  });
});

it.each([
  ['is refused', '552 too big\r\n552 really\r\n', 'E_REPLY body refused'],
  ['is answered and followed by a goodbye', '250 Ok\r\n421 bye\r\n', 'E_REPLY body refused retryable'],
  ['is answered twice', '250 Ok\r\n250 Ok\r\n', 'E_PROTOCOL body not-sent'],
])('a mail is told at once when a chunk of it %s while its source waits', async (_, replies, end) => {
  async function* endless() { yield 'Subject: slow\r\n\r\n'; await new Promise(() => undefined); }
  const { says, told, told$ } = begin(['PIPELINING', 'CHUNKING'], endless());
  says('250 Ok\r\n250 Ok\r\n');
  await firstValueFrom(told$.pipe(filter((type) => type === 'progress')));
  says(replies);
  expect(told.at(-1)).toBe(end);
});

it('a mail whose end is taken behind a chunk that was refused is in doubt, and ends its connection', async () => {
  const { says, stream, wire, told, told$ } = begin(['PIPELINING', 'CHUNKING'], 'x'.repeat(300_000));
  says('250 Ok\r\n250 Ok\r\n');
  while (!stream.written.some((text) => text.endsWith(' LAST\r\n'))) await turn();
  const chunks = stream.written.filter((text) => text.startsWith('BDAT')).length;
  const end = firstValueFrom(told$.pipe(filter((what) => what.startsWith('E_'))));
  says(`452 4.3.1 disk full\r\n${'250 Ok\r\n'.repeat(chunks - 2)}250 queued\r\n`);
  expect(await end).toBe('E_PROTOCOL end-of-data unknown');
  expect(wire.mustDrop).toBe(true);
  expect(told).not.toContain('end');
});

it.each([
  ['in lock-step', [], ['250 Ok\r\n', '250 Ok\r\n', '354 go\r\n']],
  ['over DATA', ['PIPELINING'], ['250 Ok\r\n250 Ok\r\n250 Ok\r\n354 go\r\n']],
  ['in chunks', ['PIPELINING', 'CHUNKING'], ['250 Ok\r\n250 Ok\r\n250 Ok\r\n']],
])('content whose beginning does not leave is in no doubt, unless it left in one write: %s', (way, offers, replies) => {
  const endOf = (bytes: number): string | undefined => {
    const { says, hangsUp, stream, told } = begin(offers, 'x'.repeat(bytes), { behind: 'a failed mail' });
    stream.take = () => NEVER;
    if (offers.length === 0) says('250 reset\r\n');
    replies.forEach(says);
    hangsUp();
    return told.at(-1);
  };
  const inDoubt = 'E_CLOSED end-of-data unknown';
  expect(endOf(16_000)).toBe(inDoubt);
  expect(endOf(20_000)).toBe(way === 'over DATA' ? inDoubt : 'E_CLOSED body not-sent retryable');
});

describe('a mail behind one that did not end well', () => {
  it.each([
    ['in lock-step', []],
    ['over DATA', ['PIPELINING']],
  ])('%s was never asked for when the server refuses RSET', (_, offers) => {
    for (const [reply, end] of [['502 5.5.1 what?', 'not-sent'], ['421 4.3.2 bye', 'refused']] as const) {
      const { says, wire, told } = begin(offers, 'Subject: small\r\n\r\n', { behind: 'a failed mail' });
      says(`${reply}\r\n`);
      if (offers.length > 0) says('503 no\r\n503 no\r\n503 no\r\n');
      expect(told).toEqual([`E_REPLY reset ${end} retryable`]);
      expect(wire.mustDrop).toBe(true);
    }
  });
});

it('a mail behind one that was refused does not take the belated acceptance of that one for the reply to its RSET', () => {
  const { says, stream, wire, told } = begin(['PIPELINING', 'CHUNKING'], 'Subject: small\r\n\r\n', { behind: 'a failed mail' });
  says('250 2.0.0 queued as 4F3cPq1xKz\r\n');
  says('250 Ok\r\n250 Ok\r\n250 Ok\r\n');
  expect(told).toEqual(['E_PROTOCOL reset not-sent']);
  expect(stream.written.join('')).not.toContain('BDAT');
  expect(wire.failed).toBe(true);
});

const TWO = ['bob@example.org', 'cid@example.org'];

describe('a mail that left at once, of whose recipients one is answered by a goodbye and nothing else comes,', () => {
  it.each([
    ['is refused where it was the last', TWO.slice(1), undefined, 'E_REPLY rcpt refused retryable'],
    ['is in doubt where it was not', TWO, undefined, 'E_TIMEOUT end-of-data unknown'],
    ['is in doubt behind a RSET as well', TWO, 'a mail in flight', 'E_TIMEOUT end-of-data unknown'],
  ] as const)('%s', async (_, to, behind, end) => {
    const { says, told$ } = begin(['PIPELINING', 'CHUNKING'], 'Subject: small\r\n\r\n', { to, timeouts: { command: 10, endOfData: 10 }, ...(behind && { behind }) });
    const error = firstValueFrom(told$.pipe(filter((what) => what.startsWith('E_'))));
    says(`${behind === undefined ? '' : '250 reset\r\n'}250 Ok\r\n421 bye\r\n`);
    expect(await error).toBe(end);
  });
});

describe('of an envelope that fails is told', () => {
  const REFUSED = 'E_REPLY rcpt refused';
  it.each<[string, readonly string[], boolean, string, readonly string[]]>([
    ['everything, where it was sent command by command', [], false, '250 Ok,503 no,503 no', ['sender-accepted', 'recipient-refused', 'recipient-refused', REFUSED]],
    ['nothing, where it may have been out of turn', ['PIPELINING'], false, '250 Ok,503 no,503 no,503 no', [REFUSED]],
    ['everything, where nobody can be named in another one', ['PIPELINING'], false, '250 Ok,250 Ok,421 bye', ['sender-accepted', 'recipient-accepted', `${REFUSED} retryable`]],
    ['nothing, where one is enough for those who were taken', ['PIPELINING'], true, '250 Ok,250 Ok,421 bye', [`${REFUSED} retryable`]],
    ['everything, where content is in doubt', ['PIPELINING', 'CHUNKING'], true, '250 Ok,250 Ok,421 bye', ['sender-accepted', 'recipient-accepted', 'E_CLOSED end-of-data unknown']],
    ['everything, where content is taken all the same', ['PIPELINING', 'CHUNKING'], true, '250 Ok,250 Ok,421 bye,250 queued', ['sender-accepted', 'recipient-accepted', 'E_PROTOCOL end-of-data unknown']],
    ['nothing, where content is refused as well', ['PIPELINING', 'CHUNKING'], true, '250 Ok,250 Ok,421 bye,503 no', [`${REFUSED} retryable`]],
  ])('%s', (_, offers, inParts, replies, expected) => {
    const { says, hangsUp, told } = begin(offers, 'Subject: small\r\n\r\n', { to: TWO, inParts });
    for (const reply of replies.split(',')) says(`${reply}\r\n`);
    hangsUp();
    expect(told).toEqual(expected);
  });
});

it.each([
  ['550 not you', 'MAIL'],
  ['235 what', 'MAIL'],
  ['421 bye', 'MAIL'],
  ['250 Ok,421 bye', 'MAIL RCPT'],
  ['250 Ok,250 Ok,421 bye', 'MAIL RCPT RCPT'],
  ['250 Ok,550 no,550 no', 'MAIL RCPT RCPT'],
  ['250 Ok,550 no,250 Ok', 'MAIL RCPT RCPT DATA'],
])('one by one no command follows a reply that stops the mail: %s', (replies, said) => {
  const { says, stream } = begin([], 'Subject: small\r\n\r\n', { to: TWO });
  for (const reply of replies.split(',')) says(`${reply}\r\n`);
  expect(stream.written.map((line) => line.slice(0, 4)).join(' ')).toBe(said);
});

it('one by one no DATA follows the recipients that were taken in time where the time is up for the others', async () => {
  const { says, stream, told$ } = begin([], 'Subject: small\r\n\r\n', { to: TWO, operation: 20 });
  const error = firstValueFrom(told$.pipe(filter((what) => what.startsWith('E_'))));
  for (const reply of ['250 Ok', '250 Ok']) says(`${reply}\r\n`);
  expect(await error).toBe('E_TIMEOUT rcpt not-sent retryable');
  expect(stream.written.at(-1)).toBe('RCPT TO:<cid@example.org>\r\n');
});

it.each([
  ['over DATA', ['PIPELINING'], '250 Ok\r\n250 Ok\r\n250 Ok\r\n354 go\r\n'],
  ['in a chunk', ['PIPELINING', 'CHUNKING'], '250 Ok\r\n250 Ok\r\n250 Ok\r\n'],
])('content behind an envelope that was answered while it was written is in doubt when the time is up: %s', async (_, offers, atOnce) => {
  const { told, told$ } = begin(offers, 'Subject: small\r\n\r\n', { behind: 'a failed mail', operation: 20, atOnce });
  expect(told.at(-1)).toBe('progress');
  expect(await firstValueFrom(told$)).toBe('E_TIMEOUT end-of-data unknown');
});

it.each([
  ['421', 'E_REPLY body refused retryable'],
  ['221', 'E_CLOSED body not-sent retryable'],
])('content that was not begun is in no doubt where %s came with the last reply to its envelope', (code, end) => {
  const { says, stream, told } = begin(['PIPELINING', 'CHUNKING'], 'Subject: small\r\n\r\n', { to: TWO, behind: 'a failed mail' });
  says(`250 reset\r\n250 Ok\r\n250 Ok\r\n550 no\r\n${code} bye\r\n`);
  expect(told.at(-1)).toBe(end);
  expect(stream.written.join('')).not.toContain('BDAT');
});
