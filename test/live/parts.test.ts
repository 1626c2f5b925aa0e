import { describe, expect, it } from 'vitest';
import { startServer, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { collect } from '../support/collect.js';
import { clientOf } from '../support/many-mails.js';
import { expectOneSend } from '../support/one-send.js';
import { mailTo, people } from '../support/recipients.js';
import { WAYS } from '../support/ways.js';

for (const [way, without] of Object.entries(WAYS)) {
  describe(`a mail in no more parts than it needs, ${way}`, () => {
    const serve = (options: ServerOptions): Promise<TestServer> => startServer({ ...options, without: [...without, ...(options.without ?? [])] });

    it('names all of a domain at once, whoever stands between them (RCPTDOMAINMAX)', async () => {
      await using server = await serve({ limits: { domains: 1 } });
      await using client = clientOf(server);
      const to = people(60, (index) => `d${String(index % 12)}.example`);
      expectOneSend(await collect(client.send(mailTo(to))), to);
      expect(server.messages.map((message) => message.to.length)).toEqual(Array(12).fill(5));
    });

    it.each([
      ['452 4.3.1 Insufficient system storage', 'a new connection', [], [40]],
      ['452 Too many recipients this hour', 'a new connection', [], [40]],
      ['452 4.3.1 Insufficient system storage', 'a used one', ['first@example.org'], [40]],
      ['452 Too many recipients this hour', 'a used one, and then on a new one', ['first@example.org'], [40, 40]],
    ])('asks a server that takes nobody for now once for each: %s, on %s', async (reply, _, before, asked) => {
      await using server = await serve({ onRecipient: (path) => (path.startsWith('first@') ? undefined : reply) });
      await using client = clientOf(server);
      for (const address of before) expectOneSend(await collect(client.send(mailTo([address]))), before);
      const { error, types } = await collect(client.send(mailTo(people(40))));
      expect(error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true, recipient: 'user0@example.org' });
      expect(error?.refused.map(({ recipient }) => recipient)).toEqual(people(40));
      expect(types.filter((type) => type === 'recipient-refused')).toHaveLength(40);
      expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: RCPT TO:<user')).length)).toEqual(asked);
    });

    it('tells by its events who may have it when the first part is lost', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'end-of-data', do: 'close' }] });
      await using client = clientOf(server);
      const { error, events } = await collect(client.send(mailTo(people(5))));
      expect(error).toMatchObject({ code: 'E_CLOSED', outcome: 'unknown', refused: [] });
      expect(events.flatMap((event) => (event.type === 'recipient-accepted' ? [event.recipient] : event.type === 'progress' ? ['progress'] : []))).toEqual([...people(2), 'progress']);
    });

    it('is in no doubt for those who were too many in the part that was lost', async () => {
      await using server = await serve({ limits: { recipients: 2 }, without: ['LIMITS'], faults: [{ at: 'end-of-data', skip: 1, do: 'close' }] });
      await using client = clientOf(server);
      const { error } = await collect(client.send(mailTo(people(5))));
      expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: RCPT TO:<user4@'))).toHaveLength(2);
      expect(error).toMatchObject({ code: 'E_PARTIAL', outcome: 'unknown', inDoubt: ['user2@example.org', 'user3@example.org'], unsent: ['user4@example.org'] });
    });
  });
}
