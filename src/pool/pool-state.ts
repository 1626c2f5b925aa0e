/** What the connections of a client are doing. */
export interface PoolState {
  /** All of them: opening, busy, idle, and those that are saying goodbye. */
  readonly open: number;
  /** With mails on them. */
  readonly busy: number;
  /** Open, and without work. */
  readonly idle: number;
  /** Mails that wait for a connection. */
  readonly waiting: number;
  /** Mails on the way. */
  readonly inFlight: number;
  /** Mails that may be on the way; Infinity until the server asks for less. */
  readonly limit: number;
}

/** What became of the mails and checks that were under way when a client was closed. */
export interface CloseReport {
  /** They came to an end of their own, good or bad. */
  readonly ended: number;
  /** They took longer than `timeouts.close`, and failed with an `SmtpTimeoutError` whose `outcome` says who has the mail. */
  readonly cut: number;
}

export const isSame = (one: PoolState, other: PoolState): boolean =>
  one.open === other.open && one.busy === other.busy && one.idle === other.idle && one.waiting === other.waiting && one.inFlight === other.inFlight && one.limit === other.limit;
