import type { Endpoint, TlsVersion } from '../protocol/connection-plan.js';
import type { Secret } from '../protocol/secret.js';

export type { LookupFunction } from 'node:net';

/** PEM text or bytes. */
export type KeyMaterial = string | Uint8Array;

/** The end of a connection on this side: an address, an address and port, or a function of the other end. */
export type LocalEndpoint = string | LocalBinding | ((remote: Endpoint) => LocalBinding);

export interface LocalBinding {
  readonly address?: string;
  /** 0 or none lets the system choose. */
  readonly port?: number;
}

/** All that decides about TLS, every field set: nothing is left for a default or a prototype to fill in. */
export interface TlsSettings {
  readonly versions: readonly TlsVersion[];
  /** A version that this runtime cannot do is an error, not a warning. */
  readonly strictVersions: boolean;
  readonly ca: KeyMaterial | readonly KeyMaterial[] | undefined;
  readonly cert: KeyMaterial | undefined;
  readonly key: KeyMaterial | undefined;
  readonly pfx: KeyMaterial | undefined;
  readonly passphrase: Secret | undefined;
  /** Verified instead of the host. */
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
  readonly ciphers: string | undefined;
}
