import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { clientOf, mailOf, mails, outcomes, sendAll } from '../support/many-mails.js';
import { expectOneSend } from '../support/one-send.js';
import { WAYS } from '../support/ways.js';

it.each([{ domains: 1 }, { mails: 1 }])('a mail that the server is never told of uses up none of its limits: %j', async (limits) => {
  await using server = await startServer({ size: 400, limits });
  await using client = clientOf(server);
  const tooLarge = { envelope: { from: 'ann@example.com', to: ['bob@other.example'] }, raw: 'x'.repeat(500) };
  expect((await collect(client.send(tooLarge))).error?.code).toBe('E_USAGE');
  expect((await collect(client.send(MAIL))).error).toBeUndefined();
  expect(server.sessions).toHaveLength(1);
});

for (const [way, without] of Object.entries(WAYS)) {
  describe(`mails that are too many for one session, ${way}`, () => {
    it('go out through as many as the server wants (MAILMAX)', async () => {
      await using server = await startServer({ without, limits: { mails: 3 } });
      await using client = clientOf(server);
      const told = await lastValueFrom(client.sendAll(Array.from({ length: 10 }, () => MAIL)).pipe(toArray()));
      expect(told.filter(({ type }) => type === 'accepted')).toHaveLength(10);
      expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length)).toEqual([3, 3, 3, 1]);
      expect(server.sessions.slice(0, 3).every(({ lines }) => lines.includes('C: QUIT'))).toBe(true);
    });

    it('go to another connection, unseen, where the limit was not told', async () => {
      await using server = await startServer({ without: [...without, 'LIMITS'], limits: { mails: 3 } });
      await using client = clientOf(server);
      for (let count = 0; count < 10; count += 1) expectOneSend(await collect(client.send(MAIL)), MAIL.envelope.to);
      expect(server.messages).toHaveLength(10);
      expect(server.sessions).toHaveLength(4);
    });

    it('go to another connection behind one that fails where others went before', async () => {
      await using server = await startServer({ without, faults: [{ at: 'mail', session: 1, skip: 2, times: Infinity, do: 'reply', reply: '451 Too many mails in this session, reconnect' }] });
      await using client = clientOf(server);
      const outcomes = [];
      for (let count = 0; count < 5; count += 1) outcomes.push((await collect(client.send(MAIL))).error?.retryable ?? 'accepted');
      expect(outcomes).toEqual(['accepted', 'accepted', true, 'accepted', 'accepted']);
      expect(server.sessions).toHaveLength(2);
    });

    for (const reply of ['421 4.7.0 Too many mails', '452 Too many mails', '452 4.5.3 Too many mails', '450 4.5.3 Too many mails', '503 5.5.1 Send EHLO first']) {
      it(`go to another connection, unseen, at ${reply}`, async () => {
        await using server = await startServer({ without, faults: [1, 2, 3].map((session) => ({ at: 'mail', session, skip: 2, do: 'reply', reply })) });
        await using client = clientOf(server);
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
      await using client = clientOf(server);
      expect(outcomes(await sendAll(client, mails(20)))).toEqual(Array(20).fill('accepted'));
      expect(new Set(server.messages.map(({ from }) => from)).size).toBe(20);
      expect(server.messages).toHaveLength(20);
      const counts = server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length);
      expect(counts.slice(2)).toEqual([3, 3, 3, 3, 2]);
    });

    it.each([
      ['a session that forgot the sign-in', { user: 'ann', pass: 'opensesame' }, ['accepted', 'accepted', 'accepted'], 2],
      ['a sender who has to sign in', undefined, ['accepted', 'refused', 'accepted'], 1],
    ])('are told from others at 530: %s', async (_, auth, expected, sessions) => {
      await using server = await startServer({ without, users: { ann: 'opensesame' }, faults: [{ at: 'mail', session: 1, skip: 1, do: 'reply', reply: '530 5.7.0 Authentication required' }] });
      await using client = clientOf(server, { allowInsecureAuth: true, ...(auth && { auth }) });
      const told = [];
      for (let count = 0; count < 3; count += 1) told.push((await collect(client.send(MAIL))).error?.outcome ?? 'accepted');
      expect(told).toEqual(expected);
      expect(server.sessions).toHaveLength(sessions);
    });

    it('are told from a full disk, which moves nobody', async () => {
      await using server = await startServer({ without, faults: [{ at: 'mail', skip: 2, times: 2, do: 'reply', reply: '452 4.3.1 Insufficient system storage' }] });
      await using client = clientOf(server);
      const told = [];
      for (let count = 0; count < 5; count += 1) told.push((await collect(client.send(MAIL))).error?.outcome ?? 'accepted');
      expect(told).toEqual(['accepted', 'accepted', 'refused', 'refused', 'accepted']);
      expect(server.sessions).toHaveLength(1);
    });

    it('are no limit where it was chance: a session in between took more', async () => {
      const faults = [1, 3].map((session) => ({ at: 'mail', session, skip: 2, do: 'half-close', reply: '421 4.7.0 Not now' }) as const);
      await using server = await startServer({ without, faults });
      await using client = clientOf(server, { pool: { maxConnections: 1, maxMessages: 5 } });
      for (let count = 0; count < 20; count += 1) expect((await collect(client.send(MAIL))).error).toBeUndefined();
      const counts = server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('C: MAIL')).length);
      expect(counts).toEqual([3, 5, 3, 5, 5, 1]);
    });

    it('are not counted where a session took none', async () => {
      await using server = await startServer({ without, faults: [{ at: 'mail', times: 4, do: 'reply', reply: '452 Not now' }] });
      await using client = clientOf(server);
      const told = [];
      for (let count = 0; count < 8; count += 1) told.push((await collect(client.send(MAIL))).error?.outcome ?? 'accepted');
      expect(told).toEqual(['refused', 'refused', ...Array<string>(6).fill('accepted')]);
      expect(server.sessions).toHaveLength(3);
    });

    it('go out unseen where the server hangs up on one RSET too many, as Exim does', async () => {
      const faults = [1, 2, 3, 4].map((session) => ({ at: 'rset', session, skip: 3, do: 'close', reply: '554 Too many nonmail commands' }) as const);
      await using server = await startServer({ without, faults, onRecipient: (path) => (path === 'nobody@example.org' ? '550 5.1.1 no such user' : undefined) });
      await using client = clientOf(server);
      const source = mails(20).map((mail, index) => (index % 2 === 1 ? mailOf(index, 'nobody@example.org') : mail));
      expect(outcomes(await sendAll(client, source))).toEqual(source.map((_, index) => (index % 2 === 1 ? 'refused rcpt' : 'accepted')));
      expect(server.messages).toHaveLength(10);
      expect(server.sessions.length).toBeGreaterThan(1);
    });
  });
}
