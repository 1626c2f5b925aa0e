import type { Rate } from './rate-limit.js';

/** How many connections a client keeps, and for how long. */
export interface PoolSettings {
  readonly maxConnections: number;
  /** Mails on one connection. */
  readonly maxMessages: number;
  /** Milliseconds since it was opened. */
  readonly maxAge: number;
  /** Milliseconds without a mail; 0 keeps nothing open. */
  readonly idleTimeout: number;
  readonly rate: Rate | undefined;
  /** How many mails of one `sendAll()` are in flight, unless it says so itself. None: as many as the connections have room for. */
  readonly concurrency?: number;
}
