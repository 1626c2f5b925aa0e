import { fields, nameOf, oneOrMore, optional, usage } from '../message/fields.js';
import { ownValue } from '../protocol/bare.js';
import { Secret } from '../protocol/secret.js';
import { isExempt } from '../transport/no-proxy.js';
import type { ProxyProtocol, ProxySettings } from '../transport/proxy-settings.js';
import { oneOf, port, text } from './checks.js';
import type { Environment } from './environment.js';
import { aLabels, hostName, isAddress } from './host.js';
import { decode, parseUrl } from './parse-url.js';
import { checkTls, type TlsOptions } from './tls.js';

/** A proxy: the parts of its URL, and for `https` the options of TLS to the proxy itself. */
export interface ProxyOptions {
  /** With `socks4` the server's name is resolved here, and only IPv4 works; the others leave the name to the proxy. */
  readonly protocol: ProxyProtocol;
  readonly host: string;
  /** Default 1080 for SOCKS, 80 for `http`, 443 for `https`. */
  readonly port?: number;
  /** SOCKS 4: the user id. Sent in clear text, except to an `https` proxy. */
  readonly user?: string;
  /** SOCKS 5 and HTTP (Basic). */
  readonly pass?: string;
  /** For `https` only. The option `tls` of the client is not used for the proxy. */
  readonly tls?: TlsOptions;
}

const PORTS: Readonly<Record<ProxyProtocol, number>> = { socks4: 1080, socks4a: 1080, socks5: 1080, http: 80, https: 443 };
const PROTOCOLS = Object.keys(PORTS) as readonly ProxyProtocol[];
const SCHEMES: Readonly<Record<string, ProxyProtocol>> = {
  'socks4:': 'socks4', 'socks4a:': 'socks4a', 'socks5:': 'socks5', 'http:': 'http', 'https:': 'https',
  // Other names for a SOCKS 5 proxy that is given the name of the server.
  'socks:': 'socks5', 'socks5h:': 'socks5',
};
const FORM = 'socks5://user:pass@host:port, or socks4://, socks4a://, http:// or https:// instead';

/** The chain of proxies to `host`, checked. */
export const checkProxies = (value: unknown, host: string): readonly ProxySettings[] => {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length === 0) throw usage('The option "proxy" must be a proxy, or a list with at least one. Leave it out for none.');
  const proxies = oneOrMore(checkProxy)(value, 'proxy');
  proxies.forEach(({ protocol }, index) => {
    const next = proxies[index + 1]?.host ?? host;
    if (protocol.startsWith('socks4') && isAddress(next) && next.includes(':')) throw usage(`The option "proxy" cannot reach ${next}: SOCKS 4 carries no IPv6 address. Use socks5.`);
  });
  return proxies;
};

const checkProxy = (value: unknown, path: string): ProxySettings => {
  const given = fields(typeof value === 'string' ? proxyFromUrl(value, `The option "${path}"`) : value, { path, noun: 'option', known: ['protocol', 'host', 'port', 'user', 'pass', 'tls'], or: 'or a URL' });
  const name = (key: string): string => nameOf(path, key);
  const protocol = oneOf(PROTOCOLS)(given.protocol, name('protocol'));
  const user = optional(text)(given.user, name('user'));
  const pass = optional(text)(given.pass, name('pass'));
  if (pass !== undefined && user === undefined) throw usage(`The option "${name('pass')}" stands without "${name('user')}".`);
  if (pass !== undefined && protocol.startsWith('socks4')) throw usage(`The option "${name('pass')}" cannot be used: SOCKS 4 knows no password. Use socks5.`);
  if (user !== undefined && pass === undefined && protocol === 'socks5') throw usage(`The option "${name('pass')}" is missing: SOCKS 5 asks for both.`);
  // RFC 1929 section 2.
  if (protocol === 'socks5' && [user, pass].some((each) => each !== undefined && Buffer.byteLength(each) > 255)) throw usage(`The options "${name('user')}" and "${name('pass')}" must have at most 255 bytes each for SOCKS 5.`);
  // RFC 7617 section 2.
  if (protocol.startsWith('http') && user?.includes(':') === true) throw usage(`The option "${name('user')}" must not hold a colon for ${protocol}.`);
  if (given.tls !== undefined && protocol !== 'https') throw usage(`The option "${name('tls')}" is for https only.`);
  return {
    protocol, host: hostName(given.host, name('host')), port: optional(port)(given.port, name('port')) ?? PORTS[protocol],
    user, pass: pass === undefined ? undefined : new Secret(pass), tls: protocol === 'https' ? checkTls(given.tls, name('tls')) : undefined,
  };
};

const proxyFromUrl = (value: string, what: string): ProxyOptions => {
  const url = parseUrl(value, FORM, what);
  const protocol = ownValue(SCHEMES, url.protocol);
  if (protocol === undefined) throw usage(`${what} must have the form ${FORM}.`);
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') throw usage(`${what} must end behind its host and port. Write "/", "?" and "#" in user and password as %2F, %3F and %23.`);
  return {
    protocol, host: decode(url.hostname, 'host', what),
    // The parser leaves out the port that goes without saying.
    port: url.port === '' ? PORTS[protocol] : Number(url.port),
    ...(url.username === '' ? {} : { user: decode(url.username, 'user', what) }),
    ...(url.password === '' ? {} : { pass: decode(url.password, 'password', what) }),
  };
};

const VARIABLES = ['SMTP_PROXY', 'ALL_PROXY', 'HTTPS_PROXY'];

const asResolved = (name: string): string => aLabels(name) || name;

/** Names in a list; what is written in ASCII stays as it is, because it may be no name. */
const allResolved = (list: string): string => list.replace(/[^\s,:/]+/g, (name) => (/\P{ASCII}/u.test(name) ? asResolved(name) : name));

/**
 * The proxy that environment variables name, for the option `proxy`: the first of `SMTP_PROXY`, `ALL_PROXY` and
 * `HTTPS_PROXY` that is set, in lower or upper case; without a scheme it is `http`. Undefined if none is set, and for a host
 * that `NO_PROXY` exempts: a comma-separated list of `*`, names (with all names below them), addresses and networks
 * (`10.0.0.0/8`), each with an optional `:port`. Nothing reads the environment unless this is called.
 *
 * ```ts
 * const client = new SmtpClient({ host, port, proxy: proxyFromEnv(process.env, host, port) });
 * ```
 * @throws SmtpUsageError naming the variable whose value is not a proxy; it never shows the value.
 */
export const proxyFromEnv = (env: Environment = process.env, host?: string, port?: number): ProxyOptions | undefined => {
  const read = (name: string): readonly [string, string] | undefined =>
    [name.toLowerCase(), name].map((spelling) => [spelling, ownValue(env, spelling)?.trim() ?? ''] as const).find(([, value]) => value !== '');
  const [, exempt = ''] = read('NO_PROXY') ?? [];
  if (host !== undefined && isExempt(allResolved(exempt), asResolved(host), port)) return undefined;
  const [name, value] = VARIABLES.map(read).find((found) => found !== undefined) ?? [];
  return name === undefined || value === undefined ? undefined : proxyFromUrl(value.includes('://') ? value : `http://${value}`, `The variable ${name}`);
};
