import { describe, expect, it } from 'vitest';
import { collect, eventOf } from '../support/collect.js';
import { DOMAIN, REFUSED_SENDER } from './servers/accounts.js';
import { SERVERS } from './servers/all.js';
import { CONTENTS, small } from './support/contents.js';
import { delivered } from './support/delivered.js';
import { clientFor, needs, rows } from './support/door.js';

const ANN = `ann@${DOMAIN}`;
const NOBODY = `nobody@${DOMAIN}`;

describe.each(SERVERS)('$name', (server) => {
  needs(server);

  describe.each(rows(server))('port %i, %s', (_port, security, door) => {
    it.each(CONTENTS)('%s', async (_title, make) => {
      const { messageId, raw, expected } = make();
      await using client = clientFor(door);
      const told = await collect(client.send({ envelope: { from: `bob@${DOMAIN}`, to: [ANN] }, raw }));
      expect(told.error).toBeUndefined();
      expect(told.types.includes('secured')).toBe(security !== 'none');
      expect(eventOf(told, 'accepted').receipt).toMatchObject({ accepted: [ANN], refused: [], reply: { code: 250 } });

      const [mail, ...more] = await delivered(server.mailbox('ann'), messageId);
      expect(more).toHaveLength(0);
      expect(mail!.added.toLowerCase()).toContain(`return-path: <bob@${DOMAIN}>`);
      expect(mail!.content.equals(expected)).toBe(true);
    });

    it('a refused recipient beside a good one', async () => {
      const { messageId, raw, expected } = small();
      await using client = clientFor(door);
      const told = await collect(client.send({ envelope: { from: ANN, to: [NOBODY, ANN] }, raw }));
      expect(told.error).toBeUndefined();
      expect(eventOf(told, 'accepted').receipt).toMatchObject({ accepted: [ANN], refused: [{ recipient: NOBODY, reply: { severity: 5 } }] });
      expect((await delivered(server.mailbox('ann'), messageId))[0]!.content).toEqual(expected);
    });

    it('no recipient that is good', async () => {
      await using client = clientFor(door);
      const told = await collect(client.send({ envelope: { from: ANN, to: [NOBODY, `nobody-else@${DOMAIN}`] }, raw: small().raw }));
      expect(told.error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: false, reply: { severity: 5 } });
    });

    it('a refused sender, and the next mail on the same connection', async () => {
      const { messageId, raw } = small();
      await using client = clientFor(door, { pool: { maxConnections: 1 } });
      const refused = await collect(client.send({ envelope: { from: REFUSED_SENDER, to: [ANN] }, raw }));
      expect(refused.error).toMatchObject({ code: 'E_REPLY', phase: server.refusesSendersAt, outcome: 'refused', retryable: false, reply: { code: 550 } });
      const next = await collect(client.send({ envelope: { from: ANN, to: [ANN] }, raw }));
      expect(next.error).toBeUndefined();
      expect(eventOf(next, 'ready').reused).toBe(true);
      expect(await delivered(server.mailbox('ann'), messageId)).toHaveLength(1);
    });

    it('an address in another script, where SMTPUTF8 is offered', async () => {
      const { messageId, raw } = small();
      const sender = `иван@${DOMAIN}`;
      await using client = clientFor(door);
      const told = await collect(client.send({ envelope: { from: sender, to: [ANN] }, raw }));
      if (eventOf(told, 'ready').capabilities.has('SMTPUTF8')) {
        expect(told.error).toBeUndefined();
        const [mail] = await delivered(server.mailbox('ann'), messageId);
        expect(mail!.added).toContain(sender);
      } else {
        expect(told.error).toMatchObject({ code: 'E_USAGE', phase: 'mail', outcome: 'not-sent' });
        expect(told.error?.message).toContain('SMTPUTF8');
      }
    });
  });
});
