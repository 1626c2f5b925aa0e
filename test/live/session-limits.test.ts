import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { mailOf, mails, outcomes, sendAll } from '../support/many-mails.js';
import { expectOneSend } from '../support/one-send.js';

const ONE = { pool: { maxConnections: 1 } };

for (const [way, without] of Object.entries({ 'over BDAT': [], 'over DATA': ['CHUNKING'], 'in lock-step': ['CHUNKING', 'PIPELINING'] })) {
  describe(`mails that are too many for one session, ${way}`, () => {
    it('go out through as many as the server wants (MAILMAX)', async () => {
      await using server = await startServer({ without, limits: { mails: 3 } });
      await using client = clientOf(server, ONE);
      const told = await lastValueFrom(client.sendAll(Array.from({ length: 10 }, () => MAIL)).pipe(toArray()));
      expect(told.filter(({ type }) => type === 'accepted')).toHaveLength(10);
      expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([3, 3, 3, 1]);
      expect(server.sessions.slice(0, 3).every(({ lines }) => lines.includes('C: QUIT'))).toBe(true);
    });

    it('go to another connection, unseen, where the limit was not told', async () => {
      await using server = await startServer({ without: [...without, 'LIMITS'], limits: { mails: 3 } });
      await using client = clientOf(server, ONE);
      for (let count = 0; count < 10; count += 1) expectOneSend(await collect(client.send(MAIL)), MAIL.envelope.to);
      expect(server.messages).toHaveLength(10);
      expect(server.sessions).toHaveLength(4);
    });

    it('go to another connection behind one that fails where others went before', async () => {
      await using server = await startServer({ without, faults: [{ at: 'mail', session: 1, skip: 2, times: Infinity, do: 'reply', reply: '451 Too many mails in this session, reconnect' }] });
      await using client = clientOf(server, ONE);
      const outcomes = [];
      for (let count = 0; count < 5; count += 1) outcomes.push((await collect(client.send(MAIL))).error?.retryable ?? 'accepted');
      expect(outcomes).toEqual(['accepted', 'accepted', true, 'accepted', 'accepted']);
      expect(server.sessions).toHaveLength(2);
    });

    for (const reply of ['421 4.7.0 Too many mails', '452 Too many mails', '452 4.5.3 Too many mails', '450 4.5.3 Too many mails']) {
      it(`go to another connection, unseen, at ${reply}`, async () => {
        await using server = await startServer({ without, faults: [1, 2, 3].map((session) => ({ at: 'mail', session, skip: 2, do: 'reply', reply })) });
        await using client = clientOf(server, ONE);
        for (let count = 0; count < 6; count += 1) {
          const told = await collect(client.send(MAIL));
          expect(told.error).toBeUndefined();
          expect(told.types.filter((type) => type === 'sender-accepted')).toHaveLength(1);
        }
        expect(server.sessions).toHaveLength(3);
        expect(server.messages).toHaveLength(6);
      });
    }

    it('go out unseen where the server says goodbye to one of many, and are not too many any more when it has done so twice', async () => {
      const faults = Array.from({ length: 20 }, (_, index) => ({ at: 'mail', session: index + 1, skip: 3, do: 'half-close', reply: '421 4.7.0 Too many mails' }) as const);
      await using server = await startServer({ without, faults });
      await using client = clientOf(server, ONE);
      expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('accepted'));
      expect(new Set(server.messages.map(({ from }) => from)).size).toBe(20);
      expect(server.messages).toHaveLength(20);
      const counts = server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length);
      expect(counts.slice(2)).toEqual([3, 3, 3, 3, 2]);
    });

    it('are told from a full disk, which moves nobody', async () => {
      await using server = await startServer({ without, faults: [{ at: 'mail', skip: 2, times: 2, do: 'reply', reply: '452 4.3.1 Insufficient system storage' }] });
      await using client = clientOf(server, ONE);
      const told = [];
      for (let count = 0; count < 5; count += 1) told.push((await collect(client.send(MAIL))).error?.outcome ?? 'accepted');
      expect(told).toEqual(['accepted', 'accepted', 'refused', 'refused', 'accepted']);
      expect(server.sessions).toHaveLength(1);
    });

    it('are not counted where a session took none', async () => {
      await using server = await startServer({ without, faults: [{ at: 'mail', times: 4, do: 'reply', reply: '452 Not now' }] });
      await using client = clientOf(server, ONE);
      const told = [];
      for (let count = 0; count < 8; count += 1) told.push((await collect(client.send(MAIL))).error?.outcome ?? 'accepted');
      expect(told).toEqual(['refused', 'refused', ...Array<string>(6).fill('accepted')]);
      expect(server.sessions).toHaveLength(3);
    });

    it('go out unseen where the server hangs up on one RSET too many, as Exim does', async () => {
      const faults = [1, 2, 3, 4].map((session) => ({ at: 'rset', session, skip: 3, do: 'close', reply: '554 Too many nonmail commands' }) as const);
      await using server = await startServer({ without, faults, onRecipient: (path) => (path === 'nobody@example.org' ? '550 5.1.1 no such user' : undefined) });
      await using client = clientOf(server, ONE);
      const source = mails(20).map((mail, index) => (index % 2 === 1 ? mailOf(index, 'nobody@example.org') : mail));
      expect(outcomes(await sendAll(client, source))).toEqual(source.map((_, index) => (index % 2 === 1 ? 'refused rcpt' : 'accepted')));
      expect(server.messages).toHaveLength(10);
      expect(server.sessions.length).toBeGreaterThan(1);
    });

    describe.each(['421 4.5.3 Too many recipients', '421 4.7.0 No more'])('where a recipient behind another is answered by a goodbye: %s', (reply) => {
      const to = ['bob@example.org', 'cid@example.org'];
      const send = async () => {
        const server = await startServer({ without, faults: [{ at: 'rcpt', skip: 1, do: 'half-close', reply }] });
        await using client = clientOf(server, ONE);
        return { server, told: await collect(client.send({ ...MAIL, envelope: { from: 'ann@example.com', to } })) };
      };

      // This server goes on reading, and takes content that has left along with the envelope.
      const [title, expected] = without.length > 0 ? ['go on elsewhere, to fewer', [['bob@example.org'], ['cid@example.org']]] : ['are in doubt, because the content has left for the others', [['bob@example.org']]];
      it(title, async () => {
        const { server, told } = await send();
        await server.close();
        if (without.length > 0) expectOneSend(told, to);
        else expect(told.error).toMatchObject({ code: 'E_CLOSED', phase: 'end-of-data', outcome: 'unknown' });
        expect(server.messages.map((message) => message.to)).toEqual(expected);
        expect(server.sessions[0]?.lines).not.toContain('C: RSET');
      });
    });

    it('wait for the verdict on their envelope where the server has hung up on as many recipients before', async () => {
      await using server = await startServer({ without, faults: [1, 2].map((session) => ({ at: 'rcpt', session, skip: 1, do: 'half-close', reply: '421 4.5.3 Too many recipients' })) });
      await using client = clientOf(server, ONE);
      const to = ['bob@example.org', 'cid@example.org'];
      await collect(client.send({ ...MAIL, envelope: { from: 'ann@example.com', to } }));
      expectOneSend(await collect(client.send({ ...MAIL, envelope: { from: 'ann@example.com', to } })), to);
    });

    it('are refused where the first recipient is answered by a goodbye, and where there is only one', async () => {
      await using server = await startServer({ without, faults: [1, 2].map((session) => ({ at: 'rcpt', session, do: 'half-close', reply: '421 4.7.0 No more' })) });
      await using client = clientOf(server, ONE);
      for (const to of [['bob@example.org', 'cid@example.org'], ['bob@example.org']]) {
        const { error } = await collect(client.send({ envelope: { from: 'ann@example.com', to }, raw: 'RSET\r\n' }));
        expect(error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true, reply: { code: 421 } });
      }
      expect(server.messages).toEqual([]);
    });
  });
}
