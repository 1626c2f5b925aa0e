import { describe, expect, it } from 'vitest';
import type { SmtpOptions } from '../../src/index.js';
import { collect, eventOf, type Told } from '../support/collect.js';
import { ANN, token } from './servers/accounts.js';
import { SERVERS } from './servers/all.js';
import { CLIENT, TRUSTED } from './servers/certificates.js';
import type { Door } from './servers/server.js';
import { clientFor, needs, rows } from './support/door.js';

type Auth = NonNullable<SmtpOptions['auth']>;

const PASSWORDS: readonly Auth[] = [ANN, { ...ANN, pass: 'another' }];
const TOKENS: readonly Auth[] = [{ user: ANN.user, token: token(3600) }, { user: ANN.user, token: token(-3600) }];
const CERTIFICATE: readonly Auth[] = [{ external: true }, { external: true, authzid: 'somebody-else' }];

/** What is right and what is wrong. */
const credentials = (mechanism: string): readonly Auth[] =>
  ({ XOAUTH2: TOKENS, OAUTHBEARER: TOKENS, EXTERNAL: CERTIFICATE })[mechanism] ?? PASSWORDS;

const signIn = async (door: Door, mechanism: string, auth: Auth): Promise<Told> => {
  await using client = clientFor(door, { auth, allowedAuthentication: [mechanism], tls: { ca: TRUSTED, ...(mechanism === 'EXTERNAL' ? CLIENT : {}) } });
  return await collect(client.verify());
};

describe.each(SERVERS.filter(({ doors }) => doors.some(({ mechanisms }) => mechanisms !== undefined)))('$name', (server) => {
  needs(server);

  describe.each(rows(server).filter(([, , { mechanisms }]) => mechanisms !== undefined))('port %i, %s', (_port, _security, door) => {
    it.each(door.mechanisms!)('%s', async (mechanism) => {
      const [right, wrong] = credentials(mechanism);
      const told = await signIn(door, mechanism, right!);
      expect(told.error).toBeUndefined();
      expect(eventOf(told, 'authenticated').mechanism).toBe(mechanism);
      expect((await signIn(door, mechanism, wrong!)).error).toMatchObject({ code: 'E_AUTH', phase: 'auth', outcome: 'refused', retryable: false, tried: [mechanism] });
    });
  });
});
