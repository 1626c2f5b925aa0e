import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { WAYS } from '../support/ways.js';

/** On a busy machine a connection and its first commands take more than a tenth of this. */
const LIMITS = { operation: 500, quit: 50 };

it('a mail that waits for a connection has no more time than its operation', async () => {
  await using server = await startServer({ faults: [{ at: 'mail', do: 'silence', times: Infinity }] });
  const client = clientOf(server, { pool: { maxConnections: 1 }, pipelining: false, timeouts: LIMITS });
  const [first, second] = await Promise.all([collect(client.send(MAIL)), collect(client.send(MAIL))]);
  expect(first.error).toMatchObject({ limit: 'operation', phase: 'mail', outcome: 'not-sent' });
  expect(second.error).toMatchObject({ limit: 'operation', outcome: 'not-sent', retryable: true });
  await client.close();
  await using braked = clientOf(server, { pool: { rate: { messages: 1, per: 60_000 } }, timeouts: LIMITS });
  const [, waiting] = await Promise.all([collect(braked.send(MAIL)), collect(braked.send(MAIL))]);
  expect(waiting.error).toMatchObject({ limit: 'operation', phase: 'idle', outcome: 'not-sent', retryable: true });
  expect(waiting.error?.message).toMatch(/^Waiting for a connection that has room: .* Raise that limit, "pool\.maxConnections" or "pool\.rate", or send less at a time\.$/);
});

for (const [way, without] of Object.entries(WAYS)) {
  describe(`the limit of an operation ${way}`, () => {
    it('does not say "not sent" once the end of the content has left, and tells nothing twice', async () => {
      await using server = await startServer({ without, faults: [{ at: 'end-of-data', do: 'silence' }] });
      await using client = clientOf(server, { timeouts: LIMITS });
      const { types, error } = await collect(client.send(MAIL));
      expect(error).toMatchObject({ limit: 'operation', phase: 'end-of-data', outcome: 'unknown' });
      expect(types.filter((type) => type === 'sender-accepted')).toHaveLength(1);
    });

    it('nor of a mail that waited for its connection before', async () => {
      await using server = await startServer({ without, faults: [{ at: 'end-of-data', do: 'silence', skip: 1 }] });
      await using client = clientOf(server, { pool: { maxConnections: 1 }, pipelining: false, timeouts: LIMITS });
      const [, waited] = await Promise.all([collect(client.send(MAIL)), collect(client.send(MAIL))]);
      expect(waited.error).toMatchObject({ limit: 'operation', phase: 'end-of-data', outcome: 'unknown', retryable: false });
    });

    it('blames no server for content that does not come', async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server, { timeouts: LIMITS });
      const { error } = await collect(client.send({ ...MAIL, raw: () => NEVER }));
      expect(error).toMatchObject({ limit: 'operation', phase: 'body', outcome: 'not-sent', message: expect.stringMatching(/^Reading the message's own content, and sending it to 127\.0\.0\.1:\d+: it was not over within timeouts\.operation = 500 ms\. /) as string });
    });
  });
}
