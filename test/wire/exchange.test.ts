import { catchError, concat, defer, EMPTY, map, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { auth, bdat, DATA, ehlo, helo, mailFrom, rcptTo, RSET, STARTTLS, type Command } from '../../src/protocol/command.js';
import type { SmtpError, SmtpTimeoutError } from '../../src/protocol/error.js';
import type { Timeouts } from '../../src/protocol/timeouts.js';
import type { TlsFacts } from '../../src/transport/byte-stream.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { converse, exchange, exchangeInTurn } from '../../src/wire/exchange.js';
import type { Wire } from '../../src/wire/wire.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';
import { inVirtualTime } from '../support/marbles.js';

const LIMITS = { command: 5 };
const SERVER: Readonly<Record<string, string>> = { a: '250 a\r\n', b: '250 b\r\n', c: '354 c\r\n', x: '250 a\r\n250 b\r\n354 c\r\n', h: '250 a\r\n250', g: 'garbage\r\n', q: '250 a\r\n250 b\r\n250 c\r\n421-good\r\n421 bye\r\n', w: '250 a\r\n250 b\r\n250 c\r\n421 good b', s: '250 a\r\n250 b\r\n250 c\r\n220 surplus\r\n' };

const ENDED = new Error('ended');
const GROUP: readonly Command[] = [mailFrom('ann@example.com'), rcptTo('bob@example.org'), DATA];

describe('exchange', () => {
  const pictures: readonly (readonly [title: string, server: string, expected: string, error?: Pick<SmtpError, 'code'> & Partial<Pick<SmtpTimeoutError, 'limit' | 'phase' | 'outcome' | 'retryable'>>])[] = [
    ['replies are matched by their position', '-a-b-c', '-a-b-(c|)'],
    ['a whole group may arrive at once', '---x', '---(abc|)'],
    ['a reply may arrive in halves', '-h', '-a----#', { code: 'E_TIMEOUT', limit: 'command', phase: 'rcpt', outcome: 'not-sent', retryable: true }],
    ['every reply has its own limit', '----a----b----c', '----a----b----(c|)'],
    ['silence ends at the limit of what is first in line', '--a', '--a----#', { code: 'E_TIMEOUT', limit: 'command', phase: 'rcpt' }],
    ['garbage ends it at once', '-a-g', '-a-#', { code: 'E_PROTOCOL', phase: 'rcpt', retryable: false }],
    ['a reply too many ends it', '-s', '-(ab#)', { code: 'E_PROTOCOL', phase: 'data', outcome: 'not-sent', retryable: false }],
    ['a goodbye is none too many', '-q', '-(ab#)', { code: 'E_REPLY', phase: 'data', outcome: 'refused', retryable: true }],
    ['a goodbye in haste is heard, too', '-w', '-(ab#)', { code: 'E_REPLY', phase: 'data', outcome: 'refused', retryable: true }],
    ['the server hangs up', '-a-|', '-a-#', { code: 'E_CLOSED', phase: 'rcpt', outcome: 'not-sent', retryable: true }],
  ];
  for (const [title, server, expected, error] of pictures) {
    it(title, () => {
      inVirtualTime(({ hot, expectObservable, flush }, scheduler) => {
        const stream = new FakeStream(hot(server, SERVER).pipe(map((text) => Buffer.from(text))));
        const wire = wireOn(stream, { scheduler, timeouts: LIMITS });
        let failure: SmtpError | undefined;
        const told = exchange(wire, GROUP, deadline(scheduler, 'operation', Infinity)).pipe(
          map(({ lines }) => lines[0]),
          catchError((thrown: unknown) => { failure = thrown as SmtpError; return throwError(() => ENDED); }),
        );
        expectObservable(told).toBe(expected, undefined, ENDED);
        flush();
        if (error !== undefined) expect(failure).toMatchObject(error);
        expect(stream.written[0]).toBe('MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n');
      });
    });
  }

  it('what is asked by whoever is told has all its time, however long others take to be told', () => {
    inVirtualTime(({ hot, flush }, scheduler) => {
      const wire = wireOn(new FakeStream(hot('-x', SERVER).pipe(map((text) => Buffer.from(text)))), { scheduler, timeouts: LIMITS });
      const operation = deadline(scheduler, 'operation', Infinity);
      let failedAt: number | undefined;
      const next$ = defer(() => {
        // The subscriber is busy for longer than the limit.
        scheduler.frame += 10;
        return exchange(wire, [bdat(1, true)], operation);
      });
      concat(exchange(wire, GROUP, operation), next$).subscribe({ error: () => { failedAt = scheduler.now(); } });
      flush();
      expect(failedAt).toBe(1 + 10 + 600_000);
    });
  });

  it('no limit ends a moment early, where the one before began a moment ago', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const bytes$ = new Subject<Buffer>();
      const wire = wireOn(new FakeStream(bytes$), { scheduler, timeouts: LIMITS });
      scheduler.schedule(() => { bytes$.next(Buffer.from('250 a\r\n')); }, 0.25);
      let failure: SmtpTimeoutError | undefined;
      exchange(wire, GROUP, deadline(scheduler, 'operation', Infinity)).subscribe({ error: (thrown: unknown) => { failure = thrown as SmtpTimeoutError; } });
      flush();
      expect(failure).toMatchObject({ phase: 'rcpt', elapsed: LIMITS.command });
    });
  });
});

describe('RSET', () => {
  it.each<[title: string, content: Buffer | undefined, timeouts: Partial<Timeouts>, elapsed: number]>([
    ['is answered soon, or not at all', undefined, {}, 10_000],
    ['has no more than commands have', undefined, { command: 3_000 }, 3_000],
    ['has as long as others where content has left behind it, which would be in doubt', Buffer.from('content'), {}, 60_000],
  ])('%s', (_, content, timeouts, elapsed) => {
    inVirtualTime(({ hot, flush }, scheduler) => {
      const wire = wireOn(new FakeStream(hot('-')), { scheduler, timeouts });
      let failure: unknown;
      converse(wire, [RSET, ...GROUP], deadline(scheduler, 'operation', Infinity), { next: () => undefined, error: (error) => { failure = error; }, complete: () => undefined }, content);
      flush();
      expect(failure).toMatchObject({ code: 'E_TIMEOUT', limit: 'command', elapsed });
    });
  });
});

describe('an alert of TLS', () => {
  const ALERT = Object.assign(new Error('gone'), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  const BYTES = { b: Buffer.from('250-mail.example\r\n'), e: Buffer.from('250 PIPELINING\r\n') };
  const TLS = { protocol: 'TLSv1.3' } as TlsFacts;
  const REFUSED = { code: 'E_TLS', phase: 'tls', reason: 'client-certificate', retryable: false };
  const LOST = { code: 'E_CLOSED', phase: 'hello', reason: ALERT.code, retryable: true };

  it.each<[title: string, server: string, tls: TlsFacts | undefined, expected: object, words: string]>([
    ['in the place of the first reply refuses the handshake', '-#', TLS, REFUSED, 'mail.example:25 refused the TLS handshake in the end'],
    ['inside that reply does not', '-b#', TLS, LOST, 'before it answered EHLO'],
    ['behind it does not', '-be#', TLS, LOST, 'before it answered HELO'],
    ['of a proxy, which TLS does not go beyond, does not', '-#', undefined, LOST, 'before it answered EHLO'],
  ])('%s', (_, server, tls, expected, words) => {
    let failure: unknown;
    inVirtualTime(({ hot, flush }, scheduler) => {
      const wire = wireOn(new FakeStream(hot(server, BYTES, ALERT), tls), { scheduler });
      const say = (command: Command) => exchange(wire, [command], deadline(scheduler, 'operation', Infinity));
      concat(say(ehlo('client')), say(helo('client'))).subscribe({ error: (error: unknown) => { failure = error; } });
      flush();
    });
    expect(failure).toMatchObject({ ...expected, cause: ALERT, message: expect.stringContaining(words) as string });
  });
});

it.each([[ehlo('client'), '-(a|)'], [STARTTLS, '-(a|)'], [auth('PLAIN'), '-(a|)'], [rcptTo('ann@example.com'), '-#']] as const)('a goodbye to QUIT that comes to %s is out of step only where something may be pipelined', (command, expected) => {
  inVirtualTime(({ hot, expectObservable }, scheduler) => {
    const wire = wireOn(new FakeStream(hot('-r', { r: Buffer.from('221 go\r\n') })), { scheduler, timeouts: LIMITS });
    const told = exchange(wire, [command], deadline(scheduler, 'operation', Infinity)).pipe(map(() => 'a'), catchError(() => throwError(() => ENDED)));
    expectObservable(told).toBe(expected, undefined, ENDED);
  });
});

it.each([['alone', 1, 'E_CLOSED'], ['with another mail behind it', 2, 'E_PROTOCOL']])('a goodbye to MAIL %s', (_, mails, code) => {
  inVirtualTime(({ hot, flush }, scheduler) => {
    const wire = wireOn(new FakeStream(hot('-r', { r: Buffer.from('221 bye\r\n') })), { scheduler, timeouts: LIMITS });
    const failures: unknown[] = [];
    const say = (): unknown => exchange(wire, [mailFrom('ann@example.com')], deadline(scheduler, 'operation', Infinity)).subscribe({ error: (error: unknown) => { failures.push(error); } });
    for (let mail = 0; mail < mails; mail += 1) say();
    flush();
    expect(failures).toMatchObject(Array(mails).fill({ code, phase: 'mail', outcome: 'not-sent', message: expect.stringContaining('221 bye') as string }));
  });
});

it.each([
  ['ends the connection', '-b|', 2, 'E_CLOSED', 'not-sent'],
  ['says nothing any more', '-b', 4, 'E_CLOSED', 'not-sent'],
  ['says it to all', '-(bbb)', 4, 'E_CLOSED', 'not-sent'],
  ['goes on, and may take the mail', '-b-o', 3, 'E_PROTOCOL', 'unknown'],
  ['goes on in the same turn', '-(boo)', 1, 'E_PROTOCOL', 'unknown'],
])('a server that says goodbye to MAIL, whose content has left behind it, and %s', (_, server, at, code, outcome) => {
  inVirtualTime(({ hot, flush }, scheduler) => {
    const replies = hot(server, { b: '221 bye\r\n', o: '250 ok\r\n' }).pipe(map((text) => Buffer.from(text)));
    const wire = wireOn(new FakeStream(replies), { scheduler, timeouts: { command: 5, endOfData: 5, quit: 3 } });
    const told: unknown[] = [];
    converse(wire, [...ENVELOPE, bdat(4, true)], deadline(scheduler, 'operation', Infinity), {
      next: (reply) => { told.push(reply); }, complete: () => { told.push('complete'); }, error: (error) => { told.push([scheduler.now(), error]); },
    }, Buffer.from('Hi\r\n'));
    flush();
    expect(told).toMatchObject([[at, { code, outcome, message: expect.stringContaining(code === 'E_CLOSED' ? 'said goodbye' : '221 bye') as string }]]);
  });
});

it.each(['421', '221'])('of commands that go out in turn nothing stays behind where a goodbye is glued to a reply: %s', (goodbye) => {
  inVirtualTime(({ hot, expectObservable, flush }, scheduler) => {
    const wire = wireOn(new FakeStream(hot('-r', { r: Buffer.from(`550 no\r\n${goodbye} bye\r\n`) })), { scheduler, timeouts: LIMITS });
    const replies = exchangeInTurn(wire, [rcptTo('ann@example.com'), rcptTo('bob@example.org')], deadline(scheduler, 'operation', 500), () => true);
    expectObservable(replies.pipe(map(({ code }) => String(code)), catchError(() => throwError(() => ENDED)))).toBe('-(r#)', { r: '550' }, ENDED);
    flush();
    expect(scheduler.now()).toBeLessThan(500);
  });
});

const ENVELOPE = [mailFrom('ann@example.com'), rcptTo('bob@example.org')];

/** Leave at once, with their content. How they fail. */
const twoMails = (wire: Wire): readonly string[] => {
  const content = Buffer.from('Hi\r\n');
  const told: string[] = [];
  for (const name of ['first', 'second']) {
    converse(wire, [...ENVELOPE, bdat(content.length, true)], deadline(monotonic, 'operation', Infinity), {
      next: () => undefined,
      error: ({ code, phase, outcome }) => { told.push(`${name} ${code} ${phase} ${outcome}`); },
      complete: () => undefined,
    }, content);
  }
  return told;
};

describe('content that left behind its envelope, whose replies are out of step', () => {
  it.each([
    ['3yz to MAIL', '354 go\r\n'],
    ['3yz to RCPT', '250 Ok\r\n354 go\r\n'],
    ['3yz to BDAT', '250 Ok\r\n250 Ok\r\n354 go\r\n'],
    ['a recipient without a sender', '503 what\r\n250 Ok\r\n'],
    ['a recipient behind a goodbye to MAIL', '421 bye\r\n250 Ok\r\n'],
    ['content for nobody', '250 Ok\r\n451 not now\r\n250 queued\r\n'],
    ['content without a sender', '550 no\r\n503 no\r\n250 queued\r\n'],
  ])('is in doubt, and so is what left behind it: %s', (_, replies) => {
    const server = new Subject<Buffer>();
    const wire = wireOn(new FakeStream(server), { timeouts: LIMITS });
    const told = twoMails(wire);
    server.next(Buffer.from(replies));
    expect(told).toEqual(['first E_PROTOCOL end-of-data unknown', 'second E_PROTOCOL end-of-data unknown']);
    expect(wire.failed).toBe(true);
  });
});

it('content that left behind a goodbye is in doubt where the server does not hang up, and is not heard', () => {
  inVirtualTime(({ hot, flush }, scheduler) => {
    const wire = wireOn(new FakeStream(hot('-g', { g: Buffer.from('421 bye\r\n') })), { scheduler, timeouts: LIMITS });
    const told = twoMails(wire);
    flush();
    expect(told).toEqual(['first E_TIMEOUT end-of-data unknown', 'second E_TIMEOUT end-of-data unknown']);
  });
});

it('a mail whose deadline passes fails alone: the one behind it on the wire has its own replies', () => {
  inVirtualTime(({ hot, flush }, scheduler) => {
    const wire = wireOn(new FakeStream(hot('60ms m 39ms m', { m: Buffer.from('250 Ok\r\n250 Ok\r\n250 Taken\r\n') })), { scheduler });
    const content = Buffer.from('Hi\r\n');
    const told: string[] = [];
    for (const [name, ms] of [['first', 50], ['second', Infinity]] as const) {
      const running = converse(wire, [...ENVELOPE, bdat(content.length, true)], deadline(scheduler, 'operation', ms), {
        next: () => undefined,
        error: ({ code, phase, outcome }) => {
          told.push(`${name} ${code} ${phase} ${outcome} at ${String(scheduler.now())}`);
          running.unsubscribe();
        },
        complete: () => { told.push(`${name} taken at ${String(scheduler.now())}`); },
      }, content);
    }
    flush();
    expect(told).toEqual(['first E_TIMEOUT end-of-data unknown at 50', 'second taken at 100']);
  });
});

it('a reply too many is none to what comes next, where what it came for was taken back', () => {
  const server = new Subject<Buffer>();
  const stream = new FakeStream(server);
  const wire = wireOn(stream, { timeouts: LIMITS });
  const operation = deadline(monotonic, 'operation', Infinity);
  stream.withdraw = () => true;
  exchange(wire, [RSET], operation).subscribe(() => { second.unsubscribe(); });
  const second = exchange(wire, [mailFrom('ann@example.com')], operation).subscribe();
  server.next(Buffer.from('250 reset\r\n250 what\r\n'));
  const told: string[] = [];
  exchange(wire, [rcptTo('bob@example.org')], operation).subscribe({ next: ({ lines }) => { told.push(...lines); }, error: (error: unknown) => { told.push((error as SmtpError).code); } });
  expect(told).toEqual(['E_PROTOCOL']);
});

it('content that comes to a connection which has ended is not sent', () => {
  const wire = wireOn(new FakeStream(EMPTY), { timeouts: LIMITS });
  const told: string[] = [];
  converse(wire, [...ENVELOPE, bdat(4, true)], deadline(monotonic, 'operation', Infinity), {
    next: () => undefined, error: ({ code, phase, outcome }) => { told.push(`${code} ${phase} ${outcome}`); }, complete: () => undefined,
  }, Buffer.from('Hi\r\n'));
  expect(told).toEqual(['E_CLOSED mail not-sent']);
});

it('content that left before a goodbye was read is in doubt', () => {
  const server = new Subject<Buffer>();
  const wire = wireOn(new FakeStream(server), { timeouts: LIMITS });
  const content = Buffer.from('Hi\r\n');
  const told: string[] = [];
  const send = (name: string, complete: () => void = () => undefined): void => {
    converse(wire, [...ENVELOPE, bdat(content.length, true)], deadline(monotonic, 'operation', Infinity), {
      next: () => undefined,
      error: ({ code, outcome, retryable }) => { told.push(`${name} ${code} ${outcome} ${String(retryable)}`); },
      complete: () => {
        told.push(`${name} taken`);
        complete();
      },
    }, content);
  };
  send('first', () => { send('third'); });
  send('second');
  server.next(Buffer.from(`${'250 Ok\r\n250 Ok\r\n250 queued as 4ABCdef1234\r\n'.repeat(2)}421 bye\r\n`));
  expect(told).toEqual(['first taken', 'second taken', 'third E_CLOSED unknown false']);
});
