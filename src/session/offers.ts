import type { Capabilities } from '../protocol/capabilities.js';

/** What a server offers for mails, looked up once. */
export interface Offers {
  readonly size: boolean;
  readonly sizeLimit: number | undefined;
  readonly eightBit: boolean;
  readonly binary: boolean;
  /** Content may go out in counted chunks (RFC 3030). */
  readonly chunking: boolean;
  readonly utf8: boolean;
  readonly dsn: boolean;
  readonly requireTls: boolean;
}

export const offersOf = (capabilities: Capabilities): Offers => ({
  size: capabilities.has('SIZE'), sizeLimit: capabilities.sizeLimit, eightBit: capabilities.has('8BITMIME'), binary: capabilities.has('BINARYMIME'),
  chunking: capabilities.has('CHUNKING'), utf8: capabilities.has('SMTPUTF8'), dsn: capabilities.has('DSN'), requireTls: capabilities.has('REQUIRETLS'),
});
