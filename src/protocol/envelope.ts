/** A recipient with what a delivery status notification should tell (RFC 3461). */
export interface Recipient {
  readonly address: string;
  /** When to notify the sender: `['NEVER']`, or any of the others. */
  readonly notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** The original recipient, `rfc822;user@example.com`. */
  readonly orcpt?: string;
}

/** The sender and recipients that the server is told: not the header fields. */
export interface Envelope {
  /** `null` is the empty reverse-path `<>`. */
  readonly from: string | null;
  readonly to: readonly (string | Recipient)[];
  /**
   * Addresses may have more than the 64 bytes before their "@" that every server takes (RFC 5321 section 4.5.3.1.1), as some
   * services give them. Default false.
   */
  readonly longLocalParts?: boolean;
}
