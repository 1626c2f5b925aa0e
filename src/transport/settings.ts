import type { SecureContext } from 'node:tls';
import type { Endpoint, TlsVersion } from '../protocol/connection-plan.js';

export type { LookupFunction } from 'node:net';

/** PEM text or bytes. */
export type KeyMaterial = string | Uint8Array;

/** The local end of a connection: an address, an address and port, or a function of the remote endpoint. */
export type LocalEndpoint = string | LocalBinding | ((remote: Endpoint) => LocalBinding);

export interface LocalBinding {
  readonly address?: string;
  /** 0 or none lets the system choose. */
  readonly port?: number;
}

/** All that decides about TLS, every field set: nothing is left for a default or a prototype to fill in. Keys live in the context only. */
export interface TlsSettings {
  /** From the oldest to the newest; nothing else is ever negotiated. */
  readonly versions: readonly TlsVersion[];
  /** Asked for, and left out because this runtime cannot do it. */
  readonly skippedVersions: readonly TlsVersion[];
  /** Verified instead of the host. */
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
  /** SHA-256 of the certificates that the server may have, as Node writes them; `undefined` allows any. */
  readonly fingerprints: readonly string[] | undefined;
  /** The context holds a certificate of ours. */
  readonly showsCertificate: boolean;
  /** The same one each time. */
  readonly context: () => SecureContext;
}
