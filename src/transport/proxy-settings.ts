import { hostAndPort } from '../protocol/connection-plan.js';
import type { Secret } from '../protocol/secret.js';
import type { TlsSettings } from './settings.js';

export type ProxyProtocol = 'socks4' | 'socks4a' | 'socks5' | 'http' | 'https';

/** One proxy, checked and complete. */
export interface ProxySettings {
  readonly protocol: ProxyProtocol;
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly pass: Secret | undefined;
  /** For `https`: the way to the proxy itself, which shares nothing with the way to the server. */
  readonly tls: TlsSettings | undefined;
}

/** What may not be shown where somebody repeats it; empty where there is nothing to hide. To an HTTP proxy, a user without a password is a key. */
export const secretOf = ({ protocol, user = '', pass }: ProxySettings): string =>
  (pass?.reveal() ?? '') || (protocol === 'http' || protocol === 'https' ? user : '');

/** Like a URL, without credentials. */
export const describeProxy = (proxy: ProxySettings): string => `${proxy.protocol}://${hostAndPort(proxy)}`;
