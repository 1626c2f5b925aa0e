import { connect } from 'node:net';
import { filter, firstValueFrom, NEVER, Subject, takeUntil } from 'rxjs';
import { expect, it } from 'vitest';
import { SmtpClient } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { mailOf } from '../support/many-mails.js';

it('many mails that are cancelled at once open nothing', () => {
  let asked = 0;
  const client = new SmtpClient({ host: 'mail.example.com', security: 'none', lookup: () => { asked += 1; } });
  const stop = new Subject<void>();
  for (let count = 0; count < 100; count += 1) client.send(MAIL).pipe(takeUntil(stop)).subscribe();
  const asking = asked;
  stop.next();
  expect([asking, asked]).toEqual([5, 5]);
});

it('many mails that are cancelled at once open nothing where a server wants fewer at a time than there may be connections', async () => {
  await using server = await startServer({ without: ['CHUNKING', 'PIPELINING'], faults: [{ at: 'mail', do: 'close', reply: '421 4.7.0 too many', skip: 2 }] });
  let dialled = 0;
  const localEndpoint = (): { readonly address: string } => {
    dialled += 1;
    return { address: '127.0.0.1' };
  };
  await using client = clientOf(server, { localEndpoint, pool: { maxConnections: 4 } });
  const stop = new Subject<void>();
  const endless = { ...MAIL, raw: () => NEVER };
  client.sendAll(Array.from({ length: 50 }, () => endless), { concurrency: 50 }).pipe(takeUntil(stop)).subscribe();
  // One was refused: three wait for content that never comes, and all others for these.
  await firstValueFrom(client.state$.pipe(filter(({ open, busy, limit }) => open === 3 && busy === 3 && limit === 2)));
  stop.next();
  expect(dialled).toBe(4);
});

it('a mail that comes when another one was cancelled does not pass those that wait', async () => {
  await using server = await startServer();
  let opened = 0;
  await using client = clientOf(server, { pool: { maxConnections: 1 }, socket: () => ((opened += 1) === 1 ? NEVER : connect(server.port, server.host)) });
  const [first, second] = [client.send(mailOf(1)).subscribe(), collect(client.send(mailOf(2)))];
  first.unsubscribe();
  await Promise.all([second, collect(client.send(mailOf(3)))]);
  expect(server.messages.map(({ from }) => from)).toEqual(['ann2@example.com', 'ann3@example.com']);
});
