import { SIGNED_ELSEWHERE } from '../message/elsewhere.js';

const BY_SECURITY = 'is said by "security" here: "implicit" for TLS from the first byte, "starttls" for the upgrade.';
const IN_TLS = 'stands in "tls", and with a URL beside it: { ...fromUrl(url), tls }.';
const IN_POOL = 'stands in "pool", and with a URL beside it: { ...fromUrl(url), pool }.';
const IN_AUTH = 'stands in "auth", and in a URL in front of the host.';
const BY_SOCKET = 'is called "socket" here, and is a function that gives a stream.';
const AT_TOP = 'is not needed here: what it holds stands at the top, as "host", "port" and "auth" with "user" and "pass".';

/** What other clients call an option, and what to write here: the lists of docs/coming-from-*.md, as far as they are about names. */
export const NAMED_ELSEWHERE: Readonly<Record<string, string>> = {
  secure: 'is called "security" here: "implicit" for true, ["starttls", "none"] for false.',
  requireTLS: 'is security: "starttls" here.',
  ignoreTLS: 'is security: "none" here.',
  ssl: BY_SECURITY, starttls: BY_SECURITY,
  rejectUnauthorized: IN_TLS, servername: IN_TLS,
  opportunisticTLS: 'has no counterpart: after TLS was met there is no way back to clear text.',
  name: 'is called "clientName" here.',
  localAddress: 'is called "localEndpoint" here.',
  getSocket: BY_SOCKET, connection: BY_SOCKET,
  customAuth: 'is a mechanism of your own here, as "auth".',
  authMethod: 'is called "allowedAuthentication" here, and is a list.',
  from: 'stands in each message here.',
  dkim: SIGNED_ELSEWHERE,
  service: 'has no list here. Give the "host".',
  timeout: 'is called "timeouts.operation" here; each step has a limit of its own besides: see "timeouts".',
  connectionTimeout: 'is several limits here: "timeouts.connect", "timeouts.tls" and "timeouts.greeting"; "timeouts.operation" is one over all of a send.',
  greetingTimeout: 'is called "timeouts.greeting" here.',
  socketTimeout: 'has several limits here, one for each step: see "timeouts".',
  dnsTimeout: 'is called "timeouts.resolve" here.',
  family: 'is up to "lookup" here: (host, options, found) => dns.lookup(host, { ...options, family: 4 }, found).',
  logger: 'is client.log$ here.',
  debug: 'is client.log$ here.',
  maxConnections: IN_POOL, maxMessages: IN_POOL, idleTimeout: IN_POOL,
  rateLimit: 'is called "pool.rate" here: { messages, per }.',
  rateDelta: 'is called "pool.rate" here: { messages, per }.',
  Smtp: AT_TOP, smtp: AT_TOP,
  user: IN_AUTH, username: IN_AUTH, pass: IN_AUTH, password: IN_AUTH,
};

/** The same of the options in "tls", the server's or a proxy's: `versions` is the one to use. */
export const tlsElsewhere = (versions: string): Readonly<Record<string, string>> => {
  const inVersions = `is part of "${versions}" here, a list of all that may be negotiated.`;
  return { minVersion: inVersions, maxVersion: inVersions };
};

const BY_FUNCTION = 'has no counterpart: "auth.token" may be a function that gets a token.';

/** The same of the options in "auth". */
export const AUTH_ELSEWHERE: Readonly<Record<string, string>> = {
  passwordFile: 'is for fromJson() alone. Read the file yourself, and give what it holds as "auth.pass".',
  passFile: 'is called "auth.passwordFile" in JSON, and is for fromJson() alone.',
  accessToken: 'is called "auth.token" here.',
  type: 'goes without saying here: "auth.token" is for OAuth 2, "auth.pass" for a password.',
  provisionCallback: 'is called "auth.token" here, and is a function that gives the token, or a promise of it.',
  clientId: BY_FUNCTION, clientSecret: BY_FUNCTION, refreshToken: BY_FUNCTION, serviceClient: BY_FUNCTION, privateKey: BY_FUNCTION, accessUrl: BY_FUNCTION, expires: BY_FUNCTION,
};
