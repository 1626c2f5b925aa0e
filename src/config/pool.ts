import { fields, optional, usage } from '../message/fields.js';
import type { Rate } from '../pool/rate-limit.js';
import type { PoolSettings } from '../pool/settings.js';
import { count, countOrForever, duration, durationOrForever } from './checks.js';

/** How connections are kept, and shared by all mails of a client. */
export interface PoolOptions {
  /** Default 5. */
  readonly maxConnections?: number;
  /** Mails on one connection before it is replaced. Default 100. */
  readonly maxMessages?: number;
  /** The age in ms at which a connection is replaced. Default `Infinity`. */
  readonly maxAge?: number;
  /** ms without work before a connection is closed. Default 55,000. */
  readonly idleTimeout?: number;
  /** At most `messages` mails in any `per` ms, over all connections. Default: no limit. */
  readonly rate?: {
    /** 1 or more. */
    readonly messages: number;
    /** ms, above zero. */
    readonly per: number;
  };
}

const MOST_CONNECTIONS = 5;

const NO_POOL: PoolSettings = { maxConnections: Infinity, maxMessages: 1, maxAge: Infinity, idleTimeout: 0, rate: undefined, concurrency: MOST_CONNECTIONS };

export const checkPool = (value: unknown = {}): PoolSettings => {
  if (value === false) return NO_POOL;
  if (value === true) throw usage('The option "pool" must be an object or false. Leave it out: true is the default.');
  const given = fields(value, { path: 'pool', noun: 'option', known: ['maxConnections', 'maxMessages', 'maxAge', 'idleTimeout', 'rate'], or: 'or false' });
  return {
    maxConnections: optional(count)(given.maxConnections, 'pool.maxConnections') ?? MOST_CONNECTIONS,
    maxMessages: optional(countOrForever)(given.maxMessages, 'pool.maxMessages') ?? 100,
    maxAge: optional(durationOrForever)(given.maxAge, 'pool.maxAge') ?? Infinity,
    idleTimeout: optional(durationOrForever)(given.idleTimeout, 'pool.idleTimeout') ?? 55_000,
    rate: given.rate === undefined ? undefined : checkRate(given.rate),
  };
};

const checkRate = (value: unknown): Rate => {
  const { messages, per } = fields(value, { path: 'pool.rate', noun: 'option', known: ['messages', 'per'] });
  return { messages: count(messages, 'pool.rate.messages'), per: duration(per, 'pool.rate.per') };
};
