import { describe, expect, it } from 'vitest';
import { collect, eventOf } from '../support/collect.js';
import { PROXIES } from './proxies/all.js';
import { DOMAIN } from './servers/accounts.js';
import { postfix } from './servers/postfix.js';
import { small } from './support/contents.js';
import { delivered } from './support/delivered.js';
import { clientFor, needs, rows } from './support/door.js';

const ANN = `ann@${DOMAIN}`;
/** Nothing listens there. */
const NOWHERE = { port: 26_999, security: 'implicit' } as const;

describe.each(PROXIES)('$name', (proxy) => {
  needs(proxy, postfix);

  describe.each(proxy.ways.map((way) => [way.protocol, way] as const))('%s', (protocol, way) => {
    it.each(rows(postfix).filter(([, , { needsAuth }]) => needsAuth))('to Postfix, port %i, %s', async (port, _security, door) => {
      const { messageId, raw, expected } = small();
      await using client = clientFor(door, { proxy: way });
      const told = await collect(client.send({ envelope: { from: ANN, to: [ANN] }, raw }));
      expect(told.error).toBeUndefined();
      expect(eventOf(told, 'connected')).toMatchObject({ via: `${protocol}://${way.host}:${way.port}`, remote: { port: way.port } });
      expect(port).not.toBe(way.port);
      expect((await delivered(postfix.mailbox('ann'), messageId))[0]!.content).toEqual(expected);
    });

    it('to a port where nobody listens', async () => {
      await using client = clientFor(NOWHERE, { proxy: way });
      expect((await collect(client.verify())).error).toMatchObject({ code: 'E_PROXY', phase: 'proxy', outcome: 'not-sent', retryable: true });
    });

    if (way.user !== undefined) it('with a wrong password', async () => {
      await using client = clientFor(postfix.doors[0]!, { proxy: { ...way, pass: 'a wrong one' } });
      const { error } = await collect(client.verify());
      expect(error).toMatchObject({ code: 'E_PROXY', reason: 'authentication', phase: 'proxy', outcome: 'not-sent', retryable: false });
      expect(error?.message).not.toContain('a wrong one');
    });
  });
});

describe('a chain', () => {
  needs(...PROXIES, postfix);
  const [first, ...others] = PROXIES.map(({ ways }) => ways.at(-1)!);

  it('of every proxy, one behind the other', async () => {
    await using client = clientFor(postfix.doors.at(-1)!, { proxy: [first!, ...others] });
    const told = await collect(client.verify());
    expect(told.error).toBeUndefined();
    expect(eventOf(told, 'secured').mode).toBe('implicit');
  });
});
