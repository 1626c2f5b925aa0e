import { describe, expect, it } from 'vitest';
import type { SmtpOptions } from '../../src/index.js';
import { collect, eventOf } from '../support/collect.js';
import { SERVERS } from './servers/all.js';
import { opensmtpd, BROKEN_TLS_DOORS } from './servers/opensmtpd.js';
import type { Door } from './servers/server.js';
import { clientFor, needs, rows } from './support/door.js';

type Security = NonNullable<SmtpOptions['security']>;

// Each order is wrong for some door: what speaks first is met by what waits, and the other way round.
const ORDERS: readonly Security[] = ['auto', 'tls', ['implicit', 'starttls', 'none'], ['starttls', 'implicit', 'none']];

const visit = async (door: Door, security: Security) => {
  await using client = clientFor(door, { security, timeouts: { greeting: 2000 } });
  return await collect(client.verify());
};

/** The best that a port can do, whichever of its doors is asked. */
const bestAt = (doors: readonly Door[], port: number): Door['security'] =>
  (['implicit', 'starttls', 'none'] as const).find((mode) => doors.some((door) => door.port === port && door.security === mode))!;

describe.each(SERVERS)('$name', (server) => {
  needs(server);

  describe.each(rows(server))('port %i, %s', (port, _security, door) => {
    const best = bestAt(server.doors, port);
    it.each(ORDERS.map((order) => [order]))('asked for %s', async (order) => {
      const told = await visit(door, order);
      if (best === 'none' && order === 'tls') {
        expect(told.error).toMatchObject({ code: 'E_ALL_ATTEMPTS', outcome: 'not-sent' });
        expect(told.types).not.toContain('ready');
        return;
      }
      expect(told.error).toBeUndefined();
      expect(eventOf(told, 'ready').secure).toBe(best !== 'none');
      if (best !== 'none') expect(eventOf(told, 'secured').mode).toBe(best);
    });
  });
});

describe('a server that offers TLS and cannot do it', () => {
  needs(opensmtpd);

  it.each(BROKEN_TLS_DOORS.flatMap((door) => ORDERS.map((order) => [door.port, order, door] as const)))('port %i, asked for %s, is never spoken to in clear text', async (_port, order, door) => {
    const told = await visit(door, order);
    expect(told.error).toMatchObject({ outcome: 'not-sent' });
    expect(told.types).not.toContain('ready');
  });
});
