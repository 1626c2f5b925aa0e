/** How a connection is secured: TLS from the first byte, an upgrade by STARTTLS (RFC 3207), or clear text. */
export type SecurityMode = 'implicit' | 'starttls' | 'none';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** One end of a connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly family?: 4 | 6;
}

/** A door: a host and port, and how it is secured there. */
export interface ConnectionPlan {
  readonly host: string;
  readonly port: number;
  readonly security: SecurityMode;
}

/** `host:port`; an IPv6 address in brackets (RFC 3986 section 3.2.2). The path of a Unix socket has no port. */
export const hostAndPort = ({ host, port }: { readonly host: string; readonly port: number }): string => (port === 0 ? host : `${host.includes(':') ? `[${host}]` : host}:${String(port)}`);

export const describePlan = (plan: ConnectionPlan): string => {
  const how = { implicit: 'implicit TLS', starttls: 'STARTTLS', none: 'clear text' }[plan.security];
  return `${hostAndPort(plan)} (${how})`;
};
