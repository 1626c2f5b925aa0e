import type { WarningEvent } from '../protocol/event.js';
import { describeProxy, type ProxySettings } from '../transport/proxy-settings.js';
import type { TlsSettings } from '../transport/settings.js';

/** Versions that are wished for, and that this runtime cannot do. */
export const skippedVersions = ({ versions, skippedVersions: skipped }: TlsSettings, option = 'tls.versions'): readonly WarningEvent[] =>
  skipped.length === 0 ? [] : [{ type: 'warning', code: 'W_TLS_VERSION', message: `${option} names ${skipped.join(', ')}, which this runtime cannot do: left out. Offered: ${versions.join(', ')}.` }];

/** Neither an authority nor a fingerprint vouches for the server. */
export const mayBeAnybody = ({ rejectUnauthorized, fingerprints }: TlsSettings): boolean => !rejectUnauthorized && fingerprints === undefined;

/** What was left out of the verification of the server. */
export const unverified = (tls: TlsSettings, option = 'tls.rejectUnauthorized', what = 'this mail'): readonly WarningEvent[] => {
  if (tls.rejectUnauthorized) return [];
  const why = mayBeAnybody(tls) ? `the certificate was not verified, and anyone in between can read and change ${what}.` : 'of the certificate only its fingerprint was checked, not its dates nor who signed it.';
  return [{ type: 'warning', code: 'W_UNVERIFIED', message: `${option} is false: ${why}` }];
};

/** The same of proxies. One that may be anybody can read what it is signed in to with, and what is not encrypted beyond it. */
export const weakProxies = (proxies: readonly ProxySettings[]): readonly WarningEvent[] =>
  proxies.flatMap((proxy) => {
    if (proxy.tls === undefined) return [];
    const whose = `of the proxy ${describeProxy(proxy)}`;
    return [...skippedVersions(proxy.tls, `tls.versions ${whose}`), ...unverified(proxy.tls, `tls.rejectUnauthorized ${whose}`, 'what goes through it')];
  });
