import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { draft, type Mail } from '../../src/message/mail.js';
import { Capabilities } from '../../src/protocol/capabilities.js';
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

it('a mail goes out as it was begun, also where its server is found to bear less meanwhile', () => {
  const server = new Subject<Buffer>();
  const stream = new FakeStream(server);
  const wire = new Wire(stream, { peer: 'mail.example:25', connection: 1, timeouts: DEFAULT_TIMEOUTS, scheduler: monotonic, redactor: new Redactor(), log: { observed: false, next: () => undefined } }, true);
  const manners = new Manners();
  const settings = { pipelining: { enabled: true, depth: undefined } };
  const session = new Session({ wire, settings, capabilities: Capabilities.fromEhlo(makeReply(250, ['mail.example', 'PIPELINING', 'CHUNKING', '8BITMIME'])) } as unknown as State, manners);
  const mail = draft({ envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: 'x'.repeat(300_000) }) as Mail;
  const told: string[] = [];
  transact(session, session.begin(), { mail, part: undefined, content: mail.open(), operation: deadline(monotonic, 'operation', Infinity) }, {
    next: ({ type }: TransactionEvent) => { told.push(type); }, error: (error) => { throw error; }, complete: () => { told.push('end'); },
  });
  // On another connection to the same door, two mails were turned away that were ahead.
  manners.disappoint();
  manners.disappoint();
  server.next(Buffer.from('250 sender ok\r\n250 recipient ok\r\n'));
  expect(stream.written.filter((text) => /^[A-Z]/.test(text))).toEqual(['MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.org>\r\n', expect.stringMatching(/^BDAT \d+/)]);
  server.next(Buffer.from('250 got it\r\n'));
  expect(told.at(-1)).toBe('end');
});
