import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

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
