/** What ties a sign-in to the TLS connection that it runs over (RFC 5056): whoever sits in between has another one. */
export interface ChannelBinding {
  /** RFC 9266 on TLS 1.3, RFC 5929 below. */
  readonly type: 'tls-exporter' | 'tls-server-end-point';
  readonly data: Uint8Array;
}
