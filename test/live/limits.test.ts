import { Readable } from 'node:stream';
import { filter, firstValueFrom, lastValueFrom, takeWhile, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, retryWhenSafe, SmtpPartialError } from '../../src/index.js';
import { startServer, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect, eventOf } from '../support/collect.js';
import { clientOf } from '../support/many-mails.js';
import { expectOneSend } from '../support/one-send.js';
import { mailTo, people } from '../support/recipients.js';
import { WAYS } from '../support/ways.js';

const RAW = MAIL.raw;

/** How many recipients each mail that the server took had. */
const sizes = ({ messages }: TestServer): readonly number[] => messages.map(({ to }) => to.length);

/** Who got it how often, over all transactions. */
const expectOnceEach = ({ messages }: TestServer, to: readonly string[]): void => {
  expect(messages.flatMap((message) => message.to).sort()).toEqual([...to].sort());
};

for (const [way, without] of Object.entries(WAYS)) {
  describe(`recipients that are too many for one transaction, ${way}`, () => {
    const serve = (options: ServerOptions): Promise<TestServer> => startServer({ ...options, without: [...without, ...(options.without ?? [])] });

    it('are told in as many as the server wants (RCPTMAX), and joined into one receipt', async () => {
      await using server = await serve({ limits: { recipients: 100 } });
      await using client = clientOf(server);
      const to = people(250);
      const told = await collect(client.send(mailTo(to)));
      expectOneSend(told, to);
      expect(sizes(server)).toEqual([100, 100, 50]);
      expect(server.sessions).toHaveLength(1);
      expect(server.sessions[0]?.lines.filter((line) => line.startsWith('S: 452'))).toEqual([]);
      const { receipt } = eventOf(told, 'accepted');
      expect(receipt).toMatchObject({ envelope: { to }, accepted: to, refused: [], bytes: RAW.length, queueId: 'T000003', reply: { code: 250 } });
      expect(receipt.parts?.map(({ queueId, accepted }) => [queueId, accepted.length])).toEqual([['T000001', 100], ['T000002', 100], ['T000003', 50]]);
      const { connect, envelope, content, acceptance, total } = receipt.timings;
      expect(total).toBeGreaterThanOrEqual(connect + envelope + content + acceptance - 0.001);
    });

    it('name no more domains in a session than it takes (RCPTDOMAINMAX)', async () => {
      await using server = await serve({ limits: { domains: 2 } });
      await using client = clientOf(server);
      const to = people(12, (index) => `${'abcde'.charAt(index % 5)}.example`);
      const told = await collect(client.send(mailTo(to)));
      expectOneSend(told, to);
      expect(eventOf(told, 'accepted').receipt).toMatchObject({ accepted: to, refused: [] });
      expect(server.messages.map((message) => [...new Set(message.to.map((address) => address.slice(-9)))])).toEqual([['a.example', 'b.example'], ['c.example', 'd.example'], ['e.example']]);
      expect(server.sessions).toHaveLength(3);
      expect(server.sessions.flatMap(({ lines }) => lines).filter((line) => line.startsWith('S: 452'))).toEqual([]);
    });

    it('come again when a server that told no limit says 452 from the 51st on', async () => {
      await using server = await serve({ limits: { recipients: 50 }, without: ['LIMITS'] });
      await using client = clientOf(server);
      const to = people(170);
      const told = await collect(client.send(mailTo(to)));
      expectOneSend(told, to);
      expect(eventOf(told, 'accepted').receipt).toMatchObject({ accepted: to, refused: [] });
      expect(sizes(server)).toEqual([50, 50, 50, 20]);
      // Not all that are left each time: at most twice as many as it took.
      expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: RCPT'))).toHaveLength(170 + 100 + 70 + 20);
      expect(server.sessions).toHaveLength(1);
    });

    it('come again in smaller parts when a server counts those that are too many as errors, and hangs up', async () => {
      let taken = 0;
      let errors = 0;
      await using server = await serve({
        without: ['LIMITS'],
        onSender: () => { taken = 0; return undefined; },
        onRecipient: () => {
          if (taken < 5) { taken += 1; return undefined; }
          errors += 1;
          if (errors < 9) return '452 4.5.3 Too many recipients';
          errors = 0;
          return '421 4.7.0 Too many errors';
        },
      });
      await using client = clientOf(server);
      const to = people(way === 'over BDAT' ? 120 : 20);
      const told = await collect(client.send(mailTo(to)));
      expectOneSend(told, to);
      expect(eventOf(told, 'accepted').receipt).toMatchObject({ accepted: to, refused: [] });
      expect(sizes(server)).toEqual(Array(to.length / 5).fill(5));
      expect(server.sessions).toHaveLength(2);
    });

    it('are not all given at once to a server that told no limit', async () => {
      await using server = await serve({});
      await using client = clientOf(server);
      const to = people(3_500);
      const told = await collect(client.send(mailTo(to)));
      expectOneSend(told, to);
      expect(eventOf(told, 'accepted').receipt.accepted).toEqual(to);
      expect(sizes(server)).toEqual([1_000, 2_000, 500]);
    });

    for (const reply of ['552 Too many recipients', '451 4.5.3 Too many recipients', '550 5.5.3 Too many recipients']) {
      it(`come again at ${reply}`, async () => {
        const seen: string[] = [];
        await using server = await serve({ onRecipient: (path) => (seen.push(path) === 2 ? reply : undefined) });
        await using client = clientOf(server);
        const told = await collect(client.send(mailTo(people(3))));
        expectOneSend(told, people(3));
        expect(server.messages.map(({ to }) => to)).toEqual([['user0@example.org', 'user2@example.org'], ['user1@example.org']]);
        expect(eventOf(told, 'accepted').receipt.accepted).toEqual(people(3));
      });
    }

    it('are refused where the reply is about the mailbox', async () => {
      await using server = await serve({ onRecipient: (path) => (path.startsWith('user1@') ? '452 4.2.2 Mailbox full' : undefined) });
      await using client = clientOf(server);
      const told = await collect(client.send(mailTo(people(3))));
      expectOneSend(told, people(3));
      expect(eventOf(told, 'accepted').receipt).toMatchObject({ accepted: ['user0@example.org', 'user2@example.org'], refused: [{ recipient: 'user1@example.org', reply: { code: 452 } }] });
      expect(eventOf(told, 'accepted').receipt.parts).toBeUndefined();
      expect(server.messages).toHaveLength(1);
    });

    it('are refused where none was taken: no loop', async () => {
      await using server = await serve({ limits: { recipients: 2 }, onRecipient: () => '452 4.5.3 Too many recipients' });
      await using client = clientOf(server);
      const told = await collect(client.send(mailTo(people(5))));
      expect(told.types.filter((type) => type === 'recipient-refused')).toHaveLength(5);
      expect(told.types.filter((type) => type === 'sender-accepted')).toHaveLength(1);
      expect(told.error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true });
      expect(server.messages).toEqual([]);
    });

    it('do not keep the others from it, where all of a part were refused', async () => {
      await using server = await serve({ limits: { recipients: 2 }, onRecipient: (path) => (/^user[0145]@/.test(path) ? '550 5.1.1 No such user' : undefined) });
      await using client = clientOf(server);
      const told = await collect(client.send(mailTo(people(6))));
      expectOneSend(told, people(6));
      const { receipt } = eventOf(told, 'accepted');
      expect(receipt.accepted).toEqual(['user2@example.org', 'user3@example.org']);
      expect(receipt.refused.map(({ recipient }) => recipient)).toEqual(['user0@example.org', 'user1@example.org', 'user4@example.org', 'user5@example.org']);
      expect(receipt.parts).toBeUndefined();
      expect(server.messages).toHaveLength(1);
    });

    it('open the content anew for each part, from a function that gives a stream', async () => {
      await using server = await serve({ limits: { recipients: 2 } });
      await using client = clientOf(server);
      let opened = 0;
      const told = await collect(client.send(mailTo(people(5), () => { opened += 1; return Readable.from([RAW]); })));
      expectOneSend(told, people(5));
      expect(opened).toBe(3);
      expect(server.messages.map(({ content }) => content.toString())).toEqual([RAW, RAW, RAW]);
    });

    it('are all named at once where the content can be read only once, and the server has its say', async () => {
      await using server = await serve({ limits: { recipients: 3 } });
      await using client = clientOf(server);
      const told = await collect(client.send(mailTo(people(5), Readable.from([RAW]))));
      expectOneSend(told, people(5));
      const { receipt } = eventOf(told, 'accepted');
      expect(receipt.accepted).toEqual(people(3));
      expect(receipt.refused).toMatchObject([{ recipient: 'user3@example.org', reply: { code: 452 } }, { recipient: 'user4@example.org', reply: { code: 452 } }]);
      expect(server.messages).toHaveLength(1);
    });

    it('go on through another connection when the first one ends between two parts', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'mail', session: 1, skip: 1, do: 'close' }] });
      await using client = clientOf(server);
      const told = await collect(client.send(mailTo(people(4))));
      // Content that left with its envelope is in doubt, and is never sent twice.
      if (way === 'over BDAT') expect(told.error).toMatchObject({ code: 'E_PARTIAL', outcome: 'unknown', inDoubt: ['user2@example.org', 'user3@example.org'], unsent: [] });
      else {
        expectOneSend(told, people(4));
        expectOnceEach(server, people(4));
        expect(server.sessions).toHaveLength(2);
      }
    });

    it('tell who has it and who may have it when the answer to a later part is lost', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'end-of-data', skip: 1, do: 'close' }] });
      await using client = clientOf(server);
      const { error, types } = await collect(client.send(mailTo(people(6))));
      expect(types).not.toContain('accepted');
      expect(error).toBeInstanceOf(SmtpPartialError);
      expect(error).toMatchObject({
        code: 'E_PARTIAL', phase: 'end-of-data', outcome: 'unknown', retryable: false, cause: { code: 'E_CLOSED' },
        receipt: { accepted: ['user0@example.org', 'user1@example.org'], refused: [], queueId: 'T000001' },
        inDoubt: ['user2@example.org', 'user3@example.org'], unsent: ['user4@example.org', 'user5@example.org'],
      });
      expect(error?.message).toContain('accepted for 2 of 6 recipients');
    });

    it('tell who does not have it when the connection is lost before a later part was sent', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'rcpt', skip: 3, do: 'close' }] });
      const large = `Subject: large\r\n\r\n${'x'.repeat(70)}\r\n`.padEnd(300_000, 'y');
      await using client = clientOf(server);
      const { error } = await collect(client.send(mailTo(people(6), large)));
      expect(error).toMatchObject({
        code: 'E_PARTIAL', phase: 'rcpt', outcome: 'accepted', retryable: false, cause: { code: 'E_CLOSED', outcome: 'not-sent' },
        receipt: { accepted: ['user0@example.org', 'user1@example.org'] }, inDoubt: [], unsent: ['user2@example.org', 'user3@example.org', 'user4@example.org', 'user5@example.org'],
      });
    });

    for (const [place, options] of Object.entries({
      'the sender': { faults: [{ at: 'mail', skip: 1, do: 'reply', reply: '451 4.7.1 Try later' }] },
      'the content': { faults: [{ at: 'end-of-data', skip: 1, do: 'reply', reply: '451 4.7.1 Try later' }] },
    } satisfies Record<string, ServerOptions>)) {
      it(`are in one receipt with the reply to them when ${place} of a later part is refused`, async () => {
        await using server = await serve({ limits: { recipients: 2 }, ...options });
        await using client = clientOf(server);
        const told = await collect(client.send(mailTo(people(6))));
        expectOneSend(told, people(6));
        const { receipt } = eventOf(told, 'accepted');
        expect(receipt.accepted).toEqual(people(2));
        expect(receipt.refused.map(({ recipient, reply: { code } }) => `${String(code)} ${recipient}`)).toEqual(people(6).slice(2).map((recipient) => `451 ${recipient}`));
        expect(sizes(server)).toEqual([2]);
      });
    }

    it('are left alone when the send is cancelled in the second part', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'end-of-data', skip: 1, do: 'silence' }] });
      await using client = clientOf(server);
      await lastValueFrom(client.send(mailTo(people(6))).pipe(takeWhile((event) => !(event.type === 'recipient-accepted' && event.recipient.startsWith('user2@')))));
      await client.close();
      await server.idle();
      // Content that left with its envelope is there, and nothing of the third part.
      expect(sizes(server)).toEqual(way === 'over BDAT' ? [2, 2] : [2]);
      expect(server.sessions.flatMap(({ lines }) => lines).filter((line) => line.startsWith('C: MAIL'))).toHaveLength(2);
    });

    it('wait their turn, and can be cancelled there', async () => {
      await using server = await serve({ limits: { recipients: 2 } });
      await using client = clientOf(server, { pool: { maxConnections: 1, rate: { messages: 1, per: 60_000 } } });
      const sending = client.send(mailTo(people(4))).subscribe();
      await firstValueFrom(client.state$.pipe(filter(({ idle, waiting }) => idle === 1 && waiting === 1)));
      sending.unsubscribe();
      await client.close();
      expect(sizes(server)).toEqual([2]);
    });

    it('keep to the deadline of the whole operation', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'rcpt', skip: 2, do: 'silence' }] });
      await using client = clientOf(server, { timeouts: { quit: 100, operation: 400 } });
      const { error } = await collect(client.send(mailTo(people(4))));
      expect(error).toMatchObject({ code: 'E_PARTIAL', retryable: false, cause: { code: 'E_TIMEOUT', limit: 'operation' } });
      expect(error?.outcome).toBe(way === 'over BDAT' ? 'unknown' : 'accepted');
    });

    for (const [how, pool] of Object.entries({ 'a connection for each': false, 'one that takes two': { maxConnections: 1, maxMessages: 2 } } as const)) {
      it(`go out through ${how}`, async () => {
        await using server = await serve({ limits: { recipients: 2 } });
        await using client = clientOf(server, { pool });
        const told = await collect(client.send(mailTo(people(7))));
        expectOneSend(told, people(7));
        expectOnceEach(server, people(7));
        expect(server.sessions).toHaveLength(pool === false ? 4 : 2);
      });
    }

    it('are all served before close() resolves', async () => {
      await using server = await serve({ limits: { recipients: 2 } });
      await using client = clientOf(server);
      const telling = collect(client.send(mailTo(people(6))));
      await client.close();
      expectOneSend(await telling, people(6));
      expectOnceEach(server, people(6));
    });

    it('bring a warning once', async () => {
      await using server = await serve({ limits: { recipients: 2 }, without: ['DSN'] });
      await using client = clientOf(server);
      const { events } = await collect(client.send({ ...mailTo(people(6)), dsn: { notify: ['FAILURE'] } }));
      expect(events.flatMap((event) => (event.type === 'warning' ? [event.code] : []))).toEqual(['W_DSN']);
    });

    it('tell who does not have it when no connection is left for a later part', async () => {
      await using server = await serve({ limits: { recipients: 2, mails: 1 }, faults: [{ at: 'greeting', session: 2, do: 'reply', reply: '421 4.7.0 Too many connections' }] });
      await using client = clientOf(server);
      const { error } = await collect(client.send(mailTo(people(4))));
      expect(error).toMatchObject({ code: 'E_PARTIAL', phase: 'greeting', outcome: 'accepted', retryable: false, reply: { code: 421 }, inDoubt: [], unsent: ['user2@example.org', 'user3@example.org'] });
    });

    it('are not sent again by retryWhenSafe, once some have the mail', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'rcpt', skip: 3, do: 'close' }, { at: 'end-of-data', skip: 1, do: 'close' }] });
      await using client = clientOf(server);
      const { error } = await collect(client.send(mailTo(people(4))).pipe(retryWhenSafe({ count: 3, delay: 0 })));
      expect(error).toMatchObject({ code: 'E_PARTIAL' });
      expect(server.messages.filter(({ to }) => to.includes('user0@example.org'))).toHaveLength(1);
    });

    it('may be in each of many mails', async () => {
      await using server = await serve({ limits: { recipients: 4, mails: 7 } });
      await using client = clientOf(server, { pool: { maxConnections: 3 } });
      const events = await lastValueFrom(client.sendAll(Array.from({ length: 20 }, (_, index) => mailTo(people(1 + (index % 10)))), { concurrency: 12 }).pipe(toArray()));
      const accepted = events.flatMap((event) => (event.type === 'accepted' ? [event] : [])).sort((a, b) => a.index - b.index);
      expect(accepted.map(({ receipt }) => receipt.accepted)).toEqual(accepted.map((_, index) => people(1 + (index % 10))));
      expect(accepted).toHaveLength(20);
      expect(sizes(server).reduce((sum, size) => sum + size, 0)).toBe(2 * 55);
      expect(Math.max(...sizes(server))).toBe(4);
      expect(server.sessions.flatMap(({ lines }) => lines).filter((line) => line.startsWith('S: 4'))).toEqual([]);
    });
  });
}

describe('one small mail', () => {
  it('is as it was where the limits do not concern it', async () => {
    await using server = await startServer({ limits: { mails: 100, recipients: 100, domains: 10 } });
    await using client = clientOf(server);
    const receipt = await lastValueFrom(client.send(mailTo(people(2))).pipe(receipts()));
    expect(receipt).toMatchObject({ accepted: people(2), refused: [] });
    expect(receipt.parts).toBeUndefined();
  });
});
