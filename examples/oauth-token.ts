// Signs in with OAuth. The client asks a function for a token, and once more if the server refuses it for good (5yz); HTTP is up to the function.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { defer, lastValueFrom, map, of, tap } from 'rxjs';
import { fromFetch } from 'rxjs/fetch';
import { SmtpClient, type TokenFunction } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

/** Where refresh tokens are traded for access tokens. The scope is `https://mail.google.com/` ... */
export const GOOGLE = 'https://oauth2.googleapis.com/token';
/** ... and `https://outlook.office.com/SMTP.Send offline_access`. */
export const microsoft = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;

interface Grant {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly refresh_token: string;
  readonly scope?: string;
}

interface AccessToken {
  readonly access_token: string;
  /** Seconds. */
  readonly expires_in: number;
}

/** Keeps a token until a minute before its end, or until a server has refused it. Unsubscribing aborts the request. */
const refreshing = (endpoint: string, grant: Grant): TokenFunction => {
  let kept: { readonly token: string; readonly until: number } | undefined;
  const request = { method: 'POST', redirect: 'error', body: new URLSearchParams({ grant_type: 'refresh_token', ...grant }) } as const;
  const selector = async (response: Response): Promise<AccessToken> => {
    if (!response.ok) throw new Error(`The token endpoint answered ${response.status}. Was the consent withdrawn?`);
    return await response.json() as AccessToken;
  };
  return ({ rejected }) => defer(() => {
    if (rejected === undefined && kept !== undefined && kept.until > Date.now()) return of(kept.token);
    return fromFetch(endpoint, { ...request, selector }).pipe(
      tap(({ access_token, expires_in }) => { kept = { token: access_token, until: Date.now() + (expires_in - 60) * 1000 }; }),
      map(({ access_token }) => access_token),
    );
  });
};

// A mail server that knows one token, and a token endpoint whose first token is stale.
await using server = await startServer({ users: { 'ann@example.com': 'fresh-token' }, mechanisms: ['XOAUTH2', 'OAUTHBEARER'] });
const tokens = ['stale-token', 'fresh-token'];
const endpoint = createServer((_request, response) => {
  response.end(JSON.stringify({ access_token: tokens.shift(), expires_in: 3600 }));
}).listen(0, '127.0.0.1');
await once(endpoint, 'listening');

await using client = new SmtpClient({
  host: 'localhost', port: server.port, tls: { ca: server.ca },
  auth: { user: 'ann@example.com', token: refreshing(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`, { client_id: 'id', refresh_token: 'refresh' }) },
});
await lastValueFrom(client.verify().pipe(tap((event) => { if (event.type === 'authenticated') console.log(`Signed in by ${event.mechanism} as ${event.user}`); })));
endpoint.close();
