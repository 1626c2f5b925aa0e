import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';
import { WAYS } from '../support/ways.js';

it('leaves an idle connection that no mail may use any more', async () => {
  await using server = await startServer({ without: ['PIPELINING', 'CHUNKING', 'LIMITS'], limits: { mails: 1 } });
  await using client = clientOf(server, { pool: { maxConnections: 3, idleTimeout: Infinity } });
  const idle = async (): Promise<number> => (await firstValueFrom(client.state$)).idle;
  await Promise.all([MAIL, MAIL, MAIL].map((mail) => collect(client.send(mail))));
  expect(await idle()).toBe(3);
  // Two of them turn it away, which is a limit: the third one would as well.
  expect((await collect(client.send(MAIL))).error).toBeUndefined();
  expect(await idle()).toBe(0);
});

it('does not close a connection that was idle under the mail that it got meanwhile', async () => {
  await using server = await startServer({ faults: [{ at: 'end-of-data', skip: 1, do: 'delay', ms: 150 }] });
  await using client = clientOf(server, { pool: { maxConnections: 1, idleTimeout: 60 } });
  for (let count = 0; count < 2; count += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
  expect(server.sessions).toHaveLength(1);
});

it('keeps the process for a mail that is on its way and for its goodbye, and not for a connection that is idle', async () => {
  await using server = await startServer();
  await using client = clientOf(server, { pool: { maxConnections: 1 } });
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  await collect(client.send(MAIL));
  // The server's end of it is of this process, too.
  const idle = sockets();
  const told = collect(client.send(MAIL));
  expect(sockets()).toBe(idle + 1);
  await told;
  expect(sockets()).toBe(idle);
  const closed = client.close();
  expect(sockets()).toBe(idle + 1);
  expect(await firstValueFrom(client.state$)).toMatchObject({ open: 1, busy: 0, idle: 0 });
  await closed;
  expect(server.sessions).toHaveLength(1);
});

describe('an idle connection that the server ends when a mail has left for it already', () => {
  const ONE = { pool: { maxConnections: 1 } };

  describe.each(['451 4.4.2 Timeout waiting for data from client.', '450 4.4.2 Timeout', '421 4.4.2 Timeout', '451 4.7.0 Timeout waiting for client input [mx.example.com]', '221 2.0.0 Timeout'])('with %s', (reply) => {
    it.each(Object.entries(WAYS))('costs none, %s', async (_, without) => {
      await using server = await startServer({ without, faults: [1, 2].map((session) => ({ at: 'mail', session, skip: 1, do: 'close', reply })) });
      await using client = clientOf(server, ONE);
      // Twice behind one mail: that is no limit.
      for (let count = 0; count < 5; count += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
      expect(server.messages).toHaveLength(5);
      expect(server.sessions).toHaveLength(3);
      expect(await firstValueFrom(client.state$)).toMatchObject({ limit: Infinity });
    });
  });

  it('says goodbye and does not hang up: it is left', async () => {
    await using server = await startServer({ faults: [{ at: 'mail', skip: 1, times: Infinity, session: 1, do: 'reply', reply: '450 4.4.2 Timeout' }] });
    await using client = clientOf(server, ONE);
    for (let count = 0; count < 2; count += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([2, 1]);
  });

  it.each([['one by one', ['PIPELINING', 'CHUNKING']], ['whose content waits', ['CHUNKING']]])('costs none of many, %s', async (_, without) => {
    await using server = await startServer({ without, faults: [{ at: 'mail', session: 1, skip: 1, do: 'close', reply: '451 4.4.2 Timeout' }] });
    await using client = clientOf(server, ONE);
    await collect(client.send(MAIL));
    expect(outcomes(await sendAll(client, mails(10)))).toEqual(Array(10).fill('accepted'));
    expect(server.messages).toHaveLength(11);
  });
});
