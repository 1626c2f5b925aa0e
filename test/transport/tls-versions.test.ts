import { expect, test } from 'vitest';
import type { TlsVersion } from '../../src/index.js';
import { runtimeCanDo, TLS_VERSIONS, usableVersions } from '../../src/transport/tls-versions.js';

/** A runtime without these. */
const without = (...missing: readonly TlsVersion[]) => (version: TlsVersion): boolean => !missing.includes(version);

test.each<[listed: readonly TlsVersion[], missing: readonly TlsVersion[], offered: readonly TlsVersion[], skipped: readonly TlsVersion[]]>([
  [['TLSv1.2', 'TLSv1.3'], [], ['TLSv1.2', 'TLSv1.3'], []],
  [['TLSv1.3', 'TLSv1'], [], ['TLSv1', 'TLSv1.3'], []],
  [['TLSv1', 'TLSv1.1', 'TLSv1.2'], ['TLSv1', 'TLSv1.1'], ['TLSv1.2'], ['TLSv1', 'TLSv1.1']],
  [['TLSv1.1', 'TLSv1.3'], ['TLSv1.3'], ['TLSv1.1'], ['TLSv1.3']],
])('of %j, without %j, %j are offered and %j skipped', (listed, missing, offered, skipped) => {
  expect(usableVersions(listed, false, 'tls.versions', without(...missing))).toEqual({ offered, skipped });
});

test('a list of nothing that can be done is refused, strict or not', () => {
  for (const strict of [false, true])
    expect(() => usableVersions(['TLSv1', 'TLSv1.1'], strict, 'tls.versions', without('TLSv1', 'TLSv1.1'))).toThrow('"tls.versions" names TLSv1, TLSv1.1, which this runtime cannot do, and nothing else');
});

test('strict refuses what cannot be done, and takes what can', () => {
  expect(() => usableVersions(['TLSv1', 'TLSv1.3'], true, 'tls.versions', without('TLSv1'))).toThrow('names TLSv1, which this runtime cannot do');
  expect(usableVersions(['TLSv1', 'TLSv1.3'], true, 'tls.versions', without('TLSv1.1')).offered).toEqual(['TLSv1', 'TLSv1.3']);
});

test('this runtime says hello in every version that its tests use, and in no other', () => {
  expect(TLS_VERSIONS.filter(runtimeCanDo)).toEqual(TLS_VERSIONS);
  expect(runtimeCanDo('SSLv3' as TlsVersion)).toBe(false);
});
