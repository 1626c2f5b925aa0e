/** What the connections of a client are doing. */
export interface PoolState {
  /** All connections: opening, busy, idle, and closing. */
  readonly open: number;
  /** Connections with mails on them. */
  readonly busy: number;
  /** Open connections without work. */
  readonly idle: number;
  /** Mails that wait for a connection. */
  readonly waiting: number;
  /** Mails in flight. */
  readonly inFlight: number;
  /** How many mails may be in flight; Infinity until the server asks for less. */
  readonly limit: number;
}

/** What became of the mails and checks that were under way when a client was closed. */
export interface CloseReport {
  /** How many ended by themselves, accepted or failed. */
  readonly ended: number;
  /** How many took longer than `timeouts.close`, and failed with an `SmtpTimeoutError` whose `outcome` says who has the mail. */
  readonly cut: number;
}

export const isSame = (one: PoolState, other: PoolState): boolean =>
  one.open === other.open && one.busy === other.busy && one.idle === other.idle && one.waiting === other.waiting && one.inFlight === other.inFlight && one.limit === other.limit;
