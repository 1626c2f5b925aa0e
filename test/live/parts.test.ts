import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/index.js';
import { startServer, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { expectOneSend } from '../support/one-send.js';
import { WAYS } from '../support/ways.js';

const ONE = { pool: { maxConnections: 1 } };

const people = (count: number, domainOf: (index: number) => string = () => 'example.org'): string[] =>
  Array.from({ length: count }, (_, index) => `user${String(index)}@${domainOf(index)}`);

const mailTo = (to: readonly string[]): Message => ({ envelope: { from: 'ann@example.com', to }, raw: MAIL.raw });

for (const [way, without] of Object.entries(WAYS)) {
  describe(`a mail in no more parts than it needs, ${way}`, () => {
    const serve = (options: ServerOptions): Promise<TestServer> => startServer({ ...options, without: [...without, ...(options.without ?? [])] });

    it('names all of a domain at once, whoever stands between them (RCPTDOMAINMAX)', async () => {
      await using server = await serve({ limits: { domains: 1 } });
      await using client = clientOf(server, ONE);
      const to = people(60, (index) => `d${String(index % 12)}.example`);
      expectOneSend(await collect(client.send(mailTo(to))), to);
      expect(server.messages.map((message) => message.to.length)).toEqual(Array(12).fill(5));
    });
  });
}
