import type { ProxyOptions } from '../../../src/index.js';
import type { Daemon } from '../machine/daemon.js';

/** A proxy that the suite starts. */
export interface Proxy {
  readonly name: string;
  /** Debian packages to install. */
  readonly packages: readonly string[];
  /** The ways through it. */
  readonly ways: readonly (ProxyOptions & { readonly port: number })[];
  /** Resolves when it listens. */
  start(): Promise<Daemon>;
}

/** Whom the proxies know that ask. */
export const PROXY_USER = { user: 'proxy-ann', pass: 'through' };
