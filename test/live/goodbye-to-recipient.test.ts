import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect, eventOf } from '../support/collect.js';
import { clientOf } from '../support/many-mails.js';
import { expectOneSend } from '../support/one-send.js';
import { mailTo, people } from '../support/recipients.js';
import { WAYS } from '../support/ways.js';

const MAIL_TO_TWO = mailTo(['bob@example.org', 'cid@example.org']);

for (const [way, without] of Object.entries(WAYS)) {
  describe(`a mail whose recipient is answered by a goodbye, ${way}`, () => {
    describe.each(['421 4.5.3 Too many recipients', '421 4.7.0 No more.'])('behind another one: %s', (reply) => {
      it.each(without.length > 0 ? [['goes out elsewhere, to fewer', [['bob@example.org'], ['cid@example.org']]]] : [['is in doubt, because its content has left for the others', [['bob@example.org']]]])('%s', async (_, taken) => {
        await using server = await startServer({ without, faults: [{ at: 'rcpt', skip: 1, do: 'half-close', reply }] });
        await using client = clientOf(server);
        const told = await collect(client.send(MAIL_TO_TWO));
        await server.close();
        // This server goes on reading, and takes content that has left along with the envelope.
        if (without.length > 0) expectOneSend(told, MAIL_TO_TWO.envelope.to);
        else expect(told.error).toMatchObject({ code: 'E_CLOSED', phase: 'end-of-data', outcome: 'unknown', message: expect.stringMatching(/ it had answered RCPT TO:<cid@example\.org> with 421 [\d.]+ [\w ]+\.$/) as string });
        expect(server.messages.map(({ to }) => to)).toEqual(taken);
        expect(server.sessions[0]?.lines).not.toContain('C: RSET');
        if (way === 'in lock-step') expect(server.sessions[0]?.lines).not.toContain('C: DATA');
      });
    });

    it('waits for the verdict on its envelope where the server has hung up on as many recipients before', async () => {
      await using server = await startServer({ without, faults: [1, 2].map((session) => ({ at: 'rcpt', session, skip: 1, do: 'half-close', reply: '421 4.5.3 Too many recipients' })) });
      await using client = clientOf(server);
      await collect(client.send(MAIL_TO_TWO));
      expectOneSend(await collect(client.send(MAIL_TO_TWO)), MAIL_TO_TWO.envelope.to);
    });

    it('goes out in smaller parts from then on, and each to some only once', async () => {
      await using server = await startServer({ without, faults: [{ at: 'rcpt', skip: 110, do: 'half-close', reply: '421 4.5.3 Too many recipients' }] });
      await using client = clientOf(server);
      const mail = mailTo(people(250));
      expectOneSend(await collect(client.send(mail)), mail.envelope.to);
      expect(server.messages.map(({ to }) => to.length)).toEqual([110, 110, 30]);
      expect(server.messages.flatMap(({ to }) => to)).toEqual(mail.envelope.to);
    });

    it('is told once of who is named twice, so that the goodbye to one too many is none', async () => {
      await using server = await startServer({ without, faults: [{ at: 'rcpt', skip: 2, do: 'half-close', reply: '421 4.5.3 Too many recipients' }] });
      await using client = clientOf(server);
      const told = await collect(client.send({ ...MAIL, envelope: { from: 'ann@example.com', to: ['bob@example.org', 'cid@example.org', 'bob@EXAMPLE.org'] } }));
      expect(eventOf(told, 'accepted').receipt.accepted).toEqual(['bob@example.org', 'cid@example.org']);
      expect(server.messages.map(({ to }) => to)).toEqual([['bob@example.org', 'cid@example.org']]);
    });

    it('goes on elsewhere where a used connection takes none of its next part', async () => {
      const mail = mailTo(people(20));
      await using server = await startServer({ without, limits: { recipients: 10 }, faults: [{ at: 'rcpt', skip: 10, do: 'close', reply: '421 4.7.0 enough' }] });
      await using client = clientOf(server);
      expectOneSend(await collect(client.send(mail)), mail.envelope.to);
      expect(server.messages.flatMap(({ to }) => to)).toEqual(mail.envelope.to);
      expect(server.sessions).toHaveLength(2);
    });

    it('is refused where it is the first recipient, or the only one', async () => {
      await using server = await startServer({ without, faults: [1, 2].map((session) => ({ at: 'rcpt', session, do: 'half-close', reply: '421 4.7.0 No more' })) });
      await using client = clientOf(server);
      for (const mail of [MAIL_TO_TWO, MAIL]) expect((await collect(client.send({ ...mail, raw: 'RSET\r\n' }))).error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true, reply: { code: 421 } });
      expect(server.messages).toEqual([]);
    });
  });
}

describe('content that has left along with an envelope to three', () => {
  const mail = mailTo(people(3));

  it.each([
    ['hangs up', 'half-close', { code: 'E_CLOSED' }],
    ['goes on', 'reply', { code: 'E_PROTOCOL', phase: 'end-of-data' }],
  ] as const)('is in doubt where the server says goodbye to the second and %s', async (_, how, expected) => {
    await using server = await startServer({ faults: [{ at: 'rcpt', skip: 1, do: how, reply: '421 4.7.0 No more' }] });
    await using client = clientOf(server);
    expect((await collect(client.send(mail))).error).toMatchObject({ outcome: 'unknown', retryable: false, ...expected });
    await server.close();
    expect(server.messages).toHaveLength(1);
  });
});

it('a mail whose first recipient is answered by a goodbye is refused, also where another connection bore some', async () => {
  const reply = '421 4.7.0 No more';
  const faults = [{ at: 'rcpt', session: 1, skip: 1, do: 'half-close', reply } as const, ...[2, 3, 4, 5].map((session) => ({ at: 'rcpt', session, do: 'half-close', reply }) as const)];
  await using server = await startServer({ without: ['CHUNKING'], faults });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL_TO_TWO))).error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', reply: { code: 421 } });
  expect(server.sessions).toHaveLength(2);
});
