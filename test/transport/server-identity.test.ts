import type { PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { checkServerIdentity } from '../../src/transport/server-identity.js';

const NAME = 'foo.example.test';

describe('a certificate', () => {
  it.each<[boolean, string, altNames: string | undefined, commonName: string | string[] | undefined, host: string]>([
    [true, 'with that name', 'DNS:other.test, DNS:foo.example.test', undefined, NAME],
    [true, 'with a wildcard for the first label', 'IP Address:192.0.2.1, DNS:*.example.test, DNS:other.test', undefined, NAME],
    [true, 'with that address', 'DNS:other.test, IP Address:192.0.2.1', undefined, '192.0.2.1'],
    [true, 'without other names than a common one', undefined, NAME, NAME],
    [true, 'without other names than common ones', undefined, ['other.test', '*.example.test'], NAME],
    [false, 'with a wildcard behind a letter', 'DNS:f*.example.test', undefined, NAME],
    [false, 'with a wildcard before a letter', 'DNS:*o.example.test, DNS:other.test', undefined, NAME],
    [false, 'with a wildcard within letters', 'DNS:other.test, DNS:f*o.example.test', undefined, NAME],
    [false, 'with a wildcard for a later label', 'DNS:foo.*.test', undefined, NAME],
    [false, 'with a wildcard for everything', 'DNS:*', undefined, 'localhost'],
    [false, 'with a wildcard in a common name', undefined, 'f*.example.test', NAME],
    [true, 'with a common name besides an address', 'IP Address:192.0.2.1', NAME, NAME],
    [false, 'with a common name besides a host', 'DNS:other.test', NAME, NAME],
    [false, 'with a common name besides a URI', 'URI:https://other.test/', NAME, NAME],
    [true, 'with a common name besides an email address', 'email:ann@example.test', NAME, NAME],
    [false, 'with a name inside of another one', 'URI:"https://other.test/, DNS:foo.example.test"', undefined, NAME],
    [false, 'without any name', undefined, undefined, NAME],
  ])('is for a host, %s: %s', (isFor, _, subjectaltname, CN, host) => {
    const error = checkServerIdentity(host, { subject: { CN }, subjectaltname } as Partial<PeerCertificate>);
    expect(error).toEqual(isFor ? undefined : expect.objectContaining({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }));
  });

  it('without a subject is for its alternative names', () => {
    expect(checkServerIdentity(NAME, { subjectaltname: 'DNS:foo.example.test' })).toBeUndefined();
  });
});
