import { filter, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { BulkEvent, Message } from '../../src/index.js';
import { DOMAIN, REFUSED_SENDER, USERS } from './servers/accounts.js';
import { SERVERS } from './servers/all.js';
import { small } from './support/contents.js';
import { delivered } from './support/delivered.js';
import { clientFor, needs, rows } from './support/door.js';

const RECIPIENTS = USERS.filter((user) => user.startsWith('user-'));
const REFUSED_RECIPIENT = 20;
const SENDER_REFUSED = 30;

/** A sender, a recipient and a content of its own for each mail, so that no two can be mixed up unseen. */
const mails = () => RECIPIENTS.map((user, index) => ({
  user,
  from: index === SENDER_REFUSED ? REFUSED_SENDER : `sender-${index}@${DOMAIN}`,
  to: `${index === REFUSED_RECIPIENT ? 'nobody' : user}@${DOMAIN}`,
  isRefused: index === REFUSED_RECIPIENT || index === SENDER_REFUSED,
  ...small(`For ${user} and nobody else.${'\r\n.'.repeat(index)}`),
}));

const endOf = (events: readonly BulkEvent[], index: number): readonly BulkEvent[] =>
  events.filter((event) => event.index === index && (event.type === 'accepted' || event.type === 'failed'));

describe.each(SERVERS)('50 mails on one connection to $name', (server) => {
  needs(server);

  it.each(rows(server))('port %i, %s', async (_port, _security, door) => {
    const batch = mails();
    const messages: readonly Message[] = batch.map(({ from, to, raw }) => ({ envelope: { from, to: [to] }, raw }));
    await using client = clientFor(door, { pool: { maxConnections: 1 } });
    const verbs = new Set<string>();
    client.log$.pipe(filter(({ from }) => from === 'client')).subscribe(({ text }) => verbs.add(text.split(' ', 1)[0]!));
    const events = await lastValueFrom(client.sendAll(messages).pipe(toArray()));

    expect(events.filter(({ type }) => type === 'connected')).toHaveLength(1);
    const { capabilities } = events.find((event) => event.type === 'ready')!;
    expect([verbs.has('BDAT'), verbs.has('DATA')]).toEqual(capabilities.has('CHUNKING') ? [true, false] : [false, true]);
    for (const [index, { user, from, to, messageId, expected, isRefused }] of batch.entries()) {
      const [end, ...more] = endOf(events, index);
      expect(more).toHaveLength(0);
      if (isRefused) {
        const phase = index === SENDER_REFUSED ? server.refusesSendersAt : 'rcpt';
        expect(end).toMatchObject({ type: 'failed', error: { code: 'E_REPLY', outcome: 'refused', phase, retryable: false } });
        continue;
      }
      expect(end).toMatchObject({ type: 'accepted', receipt: { accepted: [to], refused: [] } });
      const copies = await delivered(server.mailbox(user), messageId);
      expect(copies).toHaveLength(1);
      expect(copies[0]!.added.toLowerCase()).toContain(`return-path: <${from}>`);
      expect(copies[0]!.content.equals(expected)).toBe(true);
    }
  });
});
