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

/** What may not be shown where somebody repeats it. A user without a password is a key. The whole comes first, or a part of it would stay behind. */
export const secretsOf = ({ protocol, user = '', pass }: ProxySettings): readonly string[] => {
  const password = pass?.reveal() ?? '';
  if (password !== '') return [`${user}:${password}`, password];
  return user !== '' && (protocol === 'http' || protocol === 'https') ? [`${user}:`, user] : [];
};

/** Like a URL, without credentials. */
export const describeProxy = (proxy: ProxySettings): string => `${proxy.protocol}://${hostAndPort(proxy)}`;
