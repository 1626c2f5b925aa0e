import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startServer, type Fault, type TestServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect, eventOf } from '../support/collect.js';
import { clientOf, mailOf, mails, outcomes, sendAll } from '../support/many-mails.js';
import { expectOneSend } from '../support/one-send.js';
import { mailTo, people } from '../support/recipients.js';
import { WAYS } from '../support/ways.js';

const TOO_MANY = '452 4.5.3 Too many recipients in this session';

/** Sessions that take so many recipients, and no more. */
const full = (reply: string, most: number, sessions = 20): readonly Fault[] =>
  Array.from({ length: sessions }, (_, index) => ({ at: 'rcpt', session: index + 1, skip: most, times: Infinity, do: reply.startsWith('421') ? 'half-close' : 'reply', reply }));

const refuse = (path: string): string | undefined => (path.startsWith('full@') ? '452 Insufficient storage' : undefined);

/** How many mails each session took. */
const taken = ({ messages, sessions }: TestServer): readonly number[] => sessions.map((_, index) => messages.filter(({ session }) => session === index + 1).length);

for (const [way, without] of Object.entries(WAYS)) {
  describe(`a session that is full of recipients, ${way}`, () => {
    describe.each([TOO_MANY, '452 Too many recipients', '552 Too many recipients', '550 5.5.3 Too many recipients', '421 4.7.0 Too many recipients'])('%s', (reply) => {
      it('costs none of many mails', async () => {
        await using server = await startServer({ without, faults: full(reply, 5) });
        await using client = clientOf(server);
        // The last ones are pushed out more often than one alone may move. By a goodbye, each is only once.
        const count = reply.startsWith('421') ? 30 : 40;
        expect(outcomes(await sendAll(client, mails(count)))).toEqual(Array(count).fill('accepted'));
        expect(new Set(server.messages.map(({ from }) => from)).size).toBe(count);
        expect(taken(server)).toEqual(Array(count / 5).fill(5));
      });

      it('is left unseen by those that come one by one, and by what is left of one', async () => {
        await using server = await startServer({ without, faults: full(reply, 5) });
        await using client = clientOf(server);
        for (let count = 0; count < 7; count += 1) {
          // A goodbye behind some that were taken is another matter.
          const mail = reply.startsWith('421') ? MAIL : mailTo(people(3));
          const told = await collect(client.send(mail));
          expectOneSend(told, mail.envelope.to);
          expect(eventOf(told, 'accepted').receipt.refused).toEqual([]);
        }
        expect(server.sessions.length).toBeLessThanOrEqual(5);
      });

      it('is left by all of a mail at once, whose content can be read only once', async () => {
        await using server = await startServer({ without, faults: full(reply, 1, 1) });
        await using client = clientOf(server);
        await collect(client.send(MAIL));
        expectOneSend(await collect(client.send({ ...mailTo(people(3)), raw: Readable.from([MAIL.raw]) })), people(3));
        expect(server.messages.map(({ to }) => to.length)).toEqual([1, 3]);
      });
    });

    it('is left as often as it takes by a mail that goes on in the next one', async () => {
      await using server = await startServer({ without, faults: full(TOO_MANY, 5) });
      await using client = clientOf(server);
      const told = await collect(client.send(mailTo(people(50))));
      expectOneSend(told, people(50));
      expect(eventOf(told, 'accepted').receipt.refused).toEqual([]);
    });

    it('is one that has its number of domains, also where all are', async () => {
      await using server = await startServer({ without: [...without, 'LIMITS'], limits: { domains: 1 } });
      await using client = clientOf(server, { pool: { maxConnections: 4 } });
      await Promise.all(mails(4).map((mail) => collect(client.send(mail))));
      expectOneSend(await collect(client.send(mailTo(['cid@example.net']))), ['cid@example.net']);
      expect(server.sessions).toHaveLength(5);
    });

    it.each([[['ann@example.net', 'bob@example.org']], [['bob@example.org', 'ann@example.net']]])('takes of a mail those that it may, in whatever order: %j', async (to) => {
      await using server = await startServer({ without: [...without, 'LIMITS'], limits: { domains: 1 } });
      await using client = clientOf(server, { pool: { maxConnections: 1 } });
      await collect(client.send(mailTo(['cid@example.org'])));
      expect(eventOf(await collect(client.send(mailTo(to))), 'accepted').receipt).toMatchObject({ accepted: to, refused: [] });
    });

    it('is none where it took nobody: the reply is the verdict on each mail', async () => {
      let asked = 0;
      await using server = await startServer({ without, onRecipient: () => ((asked += 1) > 3 ? '452 Insufficient storage' : undefined) });
      await using client = clientOf(server);
      expect(outcomes(await sendAll(client, mails(50)))).toEqual([...Array<string>(3).fill('accepted'), ...Array<string>(47).fill('refused rcpt')]);
      expect(server.sessions).toHaveLength(2);
    });

    it('is none where the words are about the disk', async () => {
      await using server = await startServer({ without, onRecipient: (path) => (path.startsWith('full@') ? '452 4.3.1 Insufficient storage' : undefined) });
      await using client = clientOf(server);
      expect(outcomes(await sendAll(client, [mailOf(0), mailOf(1, 'full@example.org'), mailOf(2)]))).toEqual(['accepted', 'refused rcpt', 'accepted']);
      expect(server.sessions).toHaveLength(1);
    });

    it('is not taken for one again and again where a mailbox is full', async () => {
      await using server = await startServer({ without, onRecipient: refuse });
      await using client = clientOf(server);
      const source = mails(40).map((mail, index) => (index % 2 === 1 ? mailOf(index, 'full@example.org') : mail));
      expect(outcomes(await sendAll(client, source))).toEqual(source.map((_, index) => (index % 2 === 1 ? 'refused rcpt' : 'accepted')));
      expect(server.sessions.length).toBeLessThanOrEqual(4);
    });

    it('is believed again when it says so of several in a row, and moving them was right', async () => {
      await using server = await startServer({ without, onRecipient: refuse, faults: [2, 3].map((session) => ({ at: 'rcpt', session, skip: 2, times: Infinity, do: 'reply', reply: TOO_MANY })) });
      await using client = clientOf(server);
      const told = [];
      for (const name of ['bob', 'full', 'bob', 'bob', 'bob', 'bob', 'bob']) told.push((await collect(client.send(mailTo([`${name}@example.org`])))).error?.outcome ?? 'accepted');
      expect(told).toEqual(['accepted', 'refused', 'accepted', 'refused', 'accepted', 'accepted', 'accepted']);
      expect(taken(server)).toEqual([1, 1, 2, 1]);
    });

    it('costs a mail to several no more than the first of them where it may be a mailbox that is full', async () => {
      await using server = await startServer({ without, onRecipient: refuse, faults: [{ at: 'rcpt', session: 2, skip: 2, times: Infinity, do: 'reply', reply: TOO_MANY }] });
      await using client = clientOf(server);
      for (const name of ['bob', 'full', 'bob']) await collect(client.send(mailTo([`${name}@example.org`])));
      expect(eventOf(await collect(client.send(mailTo(people(2)))), 'accepted').receipt).toMatchObject({ accepted: ['user1@example.org'], refused: [{ recipient: 'user0@example.org' }] });
      expect(taken(server)).toEqual([1, 1, 1]);
    });

    it('is told from a mailbox by a mail that was moved once already: it moves on', async () => {
      let due = 0;
      await using server = await startServer({ without, onRecipient: (path) => (due-- > 0 ? TOO_MANY : refuse(path)) });
      await using client = clientOf(server, { pool: { maxConnections: 2 }, pipelining: { depth: 1 } });
      const send = async (to = 'bob@example.org'): Promise<string> => (await collect(client.send(mailTo([to])))).error?.outcome ?? 'accepted';
      const two = (): Promise<unknown> => Promise.all([send(), send()]);
      await two();
      expect(await send('full@example.org')).toBe('refused');
      // It had asked for less.
      await sendAll(client, mails(10));
      await two();
      expect(server.sessions).toHaveLength(4);
      // By one session twice, and by the other.
      due = 3;
      expect(await send()).toBe('refused');
      expect(await send()).toBe('accepted');
      expect(server.sessions).toHaveLength(5);
    });

    it('is left only so often, and then the refusal is told', async () => {
      await using server = await startServer({ without, onRecipient: refuse });
      await using client = clientOf(server, { pool: { maxConnections: 8 } });
      await Promise.all(mails(8).map((mail) => collect(client.send(mail))));
      const { types, error } = await collect(client.send(mailTo(['full@example.org'])));
      expect(types).toEqual(['ready', 'sender-accepted', 'recipient-refused']);
      expect(error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true, reply: { code: 452 } });
      expect(server.sessions.filter(({ lines }) => lines.some((line) => line.includes('full@example.org')))).toHaveLength(6);
    });

    it('is left only once where it says goodbye', async () => {
      await using server = await startServer({ without, faults: [{ at: 'rcpt', skip: 4, times: Infinity, do: 'close', reply: '421 4.7.1 Greylisted' }] });
      await using client = clientOf(server, { pool: { maxConnections: 4 } });
      await Promise.all(mails(4).map((mail) => collect(client.send(mail))));
      expect((await collect(client.send(mailTo(['grey@example.org'])))).error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true, reply: { code: 421 } });
      expect(server.sessions.filter(({ lines }) => lines.some((line) => line.includes('grey@example.org')))).toHaveLength(2);
    });

    it('is left by a mail to several that it says goodbye to', async () => {
      await using server = await startServer({ without, faults: [{ at: 'rcpt', session: 1, skip: 1, do: 'close', reply: '421 4.7.0 Too many recipients' }] });
      await using client = clientOf(server);
      await collect(client.send(MAIL));
      expectOneSend(await collect(client.send(mailTo(people(3)))), people(3));
      expect(taken(server)).toEqual([1, 1]);
    });
  });
}
