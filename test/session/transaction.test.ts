import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { draft, type Mail } from '../../src/message/mail.js';
import { Capabilities } from '../../src/protocol/capabilities.js';
import type { SmtpError } from '../../src/protocol/error.js';
import type { TransactionEvent } from '../../src/protocol/event.js';
import { makeReply } from '../../src/protocol/reply.js';
import { Redactor } from '../../src/protocol/secret.js';
import { DEFAULT_TIMEOUTS } from '../../src/protocol/timeouts.js';
import { Manners } from '../../src/session/manners.js';
import { Session } from '../../src/session/session.js';
import type { State } from '../../src/session/state.js';
import { transact } from '../../src/session/transaction.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { Wire } from '../../src/wire/wire.js';
import { FakeStream } from '../support/fake-stream.js';

/** One mail on a connection whose bytes a test deals out. */
const begin = (offers: readonly string[], raw: string) => {
  const server = new Subject<Buffer>();
  const stream = new FakeStream(server);
  const wire = new Wire(stream, { peer: 'mail.example:25', connection: 1, timeouts: DEFAULT_TIMEOUTS, scheduler: monotonic, redactor: new Redactor(), log: { observed: false, next: () => undefined } }, true);
  const manners = new Manners();
  const settings = { pipelining: { enabled: true, depth: undefined } };
  const session = new Session({ wire, settings, capabilities: Capabilities.fromEhlo(makeReply(250, ['mail.example', ...offers])) } as unknown as State, manners);
  const mail = draft({ envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw }) as Mail;
  const told: string[] = [];
  transact(session, session.begin(), { mail, part: undefined, content: mail.open(), operation: deadline(monotonic, 'operation', Infinity) }, {
    next: ({ type }: TransactionEvent) => { told.push(type); },
    error: ({ code, phase, outcome, retryable }: SmtpError) => { told.push(`${code} ${phase} ${outcome}${retryable ? ' retryable' : ''}`); },
    complete: () => { told.push('end'); },
  });
  return { says: (text: string) => { server.next(Buffer.from(text)); }, stream, wire, manners, told };
};

it('a mail goes out as it was begun, also where its server is found to bear less meanwhile', () => {
  const { says, stream, manners, told } = begin(['PIPELINING', 'CHUNKING', '8BITMIME'], 'x'.repeat(300_000));
  // On another connection to the same door, two mails were turned away that were ahead.
  manners.disappoint();
  manners.disappoint();
  says('250 sender ok\r\n250 recipient ok\r\n');
  expect(stream.written.filter((text) => /^[A-Z]/.test(text))).toEqual(['MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.org>\r\n', expect.stringMatching(/^BDAT \d+/)]);
  says('250 got it\r\n');
  expect(told.at(-1)).toBe('end');
});

describe('a mail that left at once', () => {
  it.each([
    ['is in doubt where one of its replies was too many', ['250 Ok\r\n250 Ok\r\n250 Ok\r\n550 5.6.0 not this\r\n'], 'E_PROTOCOL end-of-data unknown'],
    ['is in doubt where garbage came with its replies', ['250 Ok\r\n250 Ok\r\n250 Ok\r\nHTTP/1.1 400\r\n'], 'E_PROTOCOL end-of-data unknown'],
    ['is refused where its sender was, whatever came behind', ['550 no\r\n503 no\r\n503 no\r\n503 no\r\n'], 'E_REPLY mail refused'],
    ['is accepted where the server says goodbye behind it', ['250 Ok\r\n250 Ok\r\n250 queued\r\n421 4.4.2 bye\r\n'], 'end'],
    ['is accepted where its last reply came alone, whatever came behind', ['250 Ok\r\n250 Ok\r\n', '250 queued\r\n250 again\r\n'], 'end'],
  ])('%s', (_, replies, end) => {
    const { says, wire, told } = begin(['PIPELINING', 'CHUNKING'], 'Subject: small\r\n\r\n');
    replies.forEach(says);
    expect(told.at(-1)).toBe(end);
    expect(wire.failed).toBe(true);
  });
});
