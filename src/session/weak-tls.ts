import type { WarningEvent } from '../protocol/event.js';
import { describeProxy, type ProxySettings } from '../transport/proxy-settings.js';
import type { TlsSettings } from '../transport/settings.js';

/** Versions that are wished for, and that this runtime cannot do. */
export const skippedVersions = ({ versions, skippedVersions: skipped }: TlsSettings): readonly WarningEvent[] =>
  skipped.length === 0 ? [] : [{ type: 'warning', code: 'W_TLS_VERSION', message: `tls.versions names ${skipped.join(', ')}, which this runtime cannot do: left out. Offered: ${versions.join(', ')}.` }];

/** The server may be anybody. */
export const unverified = (tls: TlsSettings): readonly WarningEvent[] => unverifiedAs(tls, 'tls.rejectUnauthorized', 'this mail');

/** A proxy may be anybody: what it is signed in to with, and what is not encrypted beyond it, can be read. */
export const unverifiedProxies = (proxies: readonly ProxySettings[]): readonly WarningEvent[] =>
  proxies.flatMap((proxy) => (proxy.tls === undefined ? [] : unverifiedAs(proxy.tls, `tls.rejectUnauthorized of the proxy ${describeProxy(proxy)}`, 'what goes through it')));

const unverifiedAs = ({ rejectUnauthorized, fingerprints }: TlsSettings, option: string, what: string): readonly WarningEvent[] => {
  if (rejectUnauthorized) return [];
  const why = fingerprints === undefined ? `the certificate was not verified, and anyone in between can read and change ${what}.` : 'of the certificate only its fingerprint was checked, not its dates nor who signed it.';
  return [{ type: 'warning', code: 'W_UNVERIFIED', message: `${option} is false: ${why}` }];
};
