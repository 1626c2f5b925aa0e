import { describe, expect, it } from 'vitest';
import type { TlsVersion } from '../../src/index.js';
import { collect, eventOf, type Told } from '../support/collect.js';
import { TRUSTED } from './servers/certificates.js';
import { BROKEN_TLS_DOORS, opensmtpd } from './servers/opensmtpd.js';
import { CERTIFICATE_DOORS, postfix, VERSION_DOORS } from './servers/postfix.js';
import type { Door } from './servers/server.js';
import { clientFor, needs } from './support/door.js';

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies readonly TlsVersion[];

const visit = async (door: Door, versions?: readonly TlsVersion[]): Promise<Told> => {
  await using client = clientFor(door, { tls: { ca: TRUSTED, ...(versions === undefined ? {} : { versions }) } });
  return await collect(client.verify());
};

describe.each(VERSIONS)('Postfix of %s alone', (version) => {
  needs(postfix);

  describe.each(VERSION_DOORS[version].map((door) => [door.security, door] as const))('%s', (_security, door) => {
    it.each([undefined, ...VERSIONS.map((each) => [each]), VERSIONS])('and a client of %s', async (versions) => {
      const told = await visit(door, versions);
      if ((versions ?? ['TLSv1.2', 'TLSv1.3']).includes(version)) {
        expect(told.error).toBeUndefined();
        expect(eventOf(told, 'secured').protocol).toBe(version);
      } else {
        expect(told.error).toMatchObject({ code: 'E_TLS', reason: 'version', phase: 'tls', outcome: 'not-sent' });
        expect(told.types).not.toContain('ready');
      }
    });
  });
});

describe.each(CERTIFICATE_DOORS)('a certificate of Postfix that is refused: $reason', ({ reason, doors }) => {
  needs(postfix);

  it.each(doors.map((door) => [door.security, door] as const))('%s', async (_security, door) => {
    const told = await visit(door);
    expect(told.error).toMatchObject({ code: 'E_CERTIFICATE', reason, phase: 'tls', outcome: 'not-sent', retryable: false });
    expect(told.types).not.toContain('ready');
  });
});

describe('OpenSMTPD, whose handshakes all fail', () => {
  needs(opensmtpd);

  it.each(BROKEN_TLS_DOORS.map((door) => [door.security, door] as const))('%s', async (_security, door) => {
    const told = await visit(door);
    expect(told.error).toMatchObject({ code: 'E_TLS', phase: 'tls', outcome: 'not-sent' });
    expect(told.types).not.toContain('ready');
  });
});
