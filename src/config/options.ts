import { isAbsolute } from 'node:path';
import { plan, type PlanInput } from '../connect/plan.js';
import { fields, nameOf, optional, usage } from '../message/fields.js';
import type { PoolSettings } from '../pool/settings.js';
import { parseClientName } from '../protocol/address.js';
import type { SecurityMode } from '../protocol/connection-plan.js';
import { reasonOf, sentence, SmtpError, SmtpUsageError } from '../protocol/error.js';
import { AUTOMATIC_GREETING_TIMEOUT, DEFAULT_TIMEOUTS, type Timeouts } from '../protocol/timeouts.js';
import type { SaslMechanism } from '../sasl/mechanism.js';
import type { SessionSettings } from '../session/settings.js';
import type { DialSettings } from '../transport/dial-context.js';
import type { SocketSource } from '../transport/own-socket.js';
import type { LocalEndpoint, LookupFunction } from '../transport/settings.js';
import { checkAllowed, checkAuth, type ExternalAuth, type PasswordAuth, type TokenAuth } from './auth.js';
import { count, duration, durationOrForever, flag, list, localPort, oneOf, port, text } from './checks.js';
import { NAMED_ELSEWHERE } from './elsewhere.js';
import { hostName, isAddress, isLoopback } from './host.js';
import { checkPool, type PoolOptions } from './pool.js';
import { checkProxies, type ProxyOptions } from './proxy.js';
import { checkTls, type TlsOptions } from './tls.js';

/**
 * Where to send and how. Only own properties are read. An unknown name or a wrong value is an `SmtpUsageError` that names
 * the option. Times are milliseconds.
 */
export interface SmtpOptions {
  /** A host name or IP address. */
  readonly host: string;
  /** 1 to 65535. Default: 465 for implicit TLS, 587 for STARTTLS and clear text, then 25. */
  readonly port?: number;
  /**
   * `tls`: implicit TLS or STARTTLS, whichever opens, never clear text. `auto`: the same, then clear text as the last
   * resort. A list is an exact order. Default `tls`; `auto` for `localhost`, `127.*` and `::1`.
   */
  readonly security?: 'auto' | 'tls' | SecurityMode | readonly SecurityMode[];
  /**
   * Lets the doors race on connections of their own, each started so many ms after the one before: the first whose greeting is read
   * wins. Default: no race, they are tried one after the other.
   */
  readonly stagger?: number;
  /** Default: none. If it is given, a server that offers no authentication is an error. */
  readonly auth?: PasswordAuth | TokenAuth | ExternalAuth | SaslMechanism;
  /** SASL names; only these are ever used, and `auth` must be able to use one. Default: all that are safe. */
  readonly allowedAuthentication?: readonly string[];
  /** Lets passwords go over clear text to a host that is not this machine. Default false. */
  readonly allowInsecureAuth?: boolean;
  /** The argument of EHLO, a domain or an address literal. Default: this host's full name, or its address. */
  readonly clientName?: string;
  /** Milliseconds, above zero. `Infinity` waits for ever, except for `greeting`. Defaults: see `Timeouts`. */
  readonly timeouts?: { readonly [limit in keyof Timeouts]?: number };
  /** Default: TLS 1.2 or 1.3, and a certificate for `host` from an authority that Node trusts. */
  readonly tls?: TlsOptions;
  /**
   * The only way to the server: `socks4://`, `socks4a://`, `socks5://`, `http://` or `https://`, with `user:pass@host:port`.
   * In a list each proxy is reached through the one before it. Default: none; `proxyFromEnv(process.env, host, port)` reads the environment.
   */
  readonly proxy?: string | ProxyOptions | readonly (string | ProxyOptions)[] | undefined;
  /**
   * The local address and port, or a function of the remote endpoint: called for each address that is tried (with a proxy, the
   * proxy's). Default: the system's choice.
   */
  readonly localEndpoint?: LocalEndpoint;
  /** Used instead of `dns.lookup`; called for each connection. */
  readonly lookup?: LookupFunction;
  /**
   * Used instead of a TCP connection to `host` and `port`: the absolute path of a Unix socket, at most 107 bytes (on macOS 103), or a
   * function that returns a stream for each connection, which the client owns from then on. Excludes `proxy`, `localEndpoint` and `lookup`. TLS still verifies `host`. The port is 25 unless given, and only decides what is tried first.
   */
  readonly socket?: SocketSource;
  /** LMTP (RFC 2033) instead of SMTP. Default false; `true` is not supported yet. */
  readonly lmtp?: boolean;
  /** How connections are kept and shared; `false` opens a connection for each mail, however many `send()` has under way. */
  readonly pool?: PoolOptions | false;
  /** Commands are sent without waiting for each reply, as far as the server allows (RFC 2920, RFC 3030). Default true. */
  readonly pipelining?: boolean | {
    /** How many mails may be in flight on a connection, and in doubt if it dies. Default 32. */
    readonly depth?: number;
  };
  /** The sender that a settings file or the environment names. The client adds it to no message: `rxsmtp send` does, and a program may. */
  readonly defaults?: { readonly from?: string };
}

/** Options checked and complete: every default is in, and secrets are wrapped. */
export interface Settings extends PlanInput, SessionSettings, DialSettings {
  readonly stagger: number | undefined;
  readonly pool: PoolSettings;
}

export const OPTIONS = [
  'host', 'port', 'security', 'stagger', 'auth', 'allowedAuthentication', 'allowInsecureAuth', 'clientName', 'timeouts', 'tls',
  'localEndpoint', 'lookup', 'socket', 'pool', 'pipelining', 'defaults', 'proxy', 'lmtp',
] as const satisfies readonly (keyof SmtpOptions)[];

/** Options from a source that checks them, as they are. @throws SmtpUsageError naming the option that cannot be used. */
export const checked = (options: SmtpOptions): SmtpOptions => {
  settings(options);
  return options;
};

/** Options as they are used. @throws SmtpUsageError naming the option that cannot be used. */
export const settings = (options: SmtpOptions): Settings => {
  try {
    return check(options);
  } catch (error) {
    throw error instanceof SmtpError ? error : new SmtpUsageError({ cause: error, message: `The options cannot be read: one of them throws: ${sentence(reasonOf(error))}` });
  }
};

const check = (options: SmtpOptions): Settings => {
  const given = fields(options, { path: '', noun: 'option', known: OPTIONS, refused: NAMED_ELSEWHERE });
  if (optional(flag)(given.lmtp, 'lmtp') === true) throw usage('The option "lmtp" is not supported yet. Leave it out.');
  const host = hostName(given.host, 'host');
  const socket = optional(socketSource)(given.socket, 'socket');
  const door = optional(port)(given.port, 'port') ?? (socket === undefined ? undefined : SOCKET_PORT);
  const modes = checkSecurity(given.security, host);
  const automatic = plan({ host, port: door, modes }).length > 1;
  const pool = checkPool(given.pool);
  const pipelining = checkPipelining(given.pipelining);
  const credentials = checkAuth(given.auth);
  checkDefaults(given.defaults);
  const bypassed = (['proxy', 'localEndpoint', 'lookup'] as const).find((name) => given[name] !== undefined);
  if (socket !== undefined && bypassed !== undefined) throw usage(`The options "socket" and "${bypassed}" exclude each other.`);
  return {
    host, port: door, modes,
    stagger: optional(duration)(given.stagger, 'stagger'),
    credentials,
    allowedAuthentication: checkAllowed(given.allowedAuthentication, credentials),
    allowInsecureAuth: optional(flag)(given.allowInsecureAuth, 'allowInsecureAuth') ?? false,
    clientName: given.clientName === undefined ? undefined : parseClientName(text(given.clientName, 'clientName')),
    ...checkTimeouts(given.timeouts, automatic),
    tls: checkTls(given.tls),
    localEndpoint: checkLocalEndpoint(given.localEndpoint),
    lookup: optional(lookupFunction)(given.lookup, 'lookup'),
    proxies: checkProxies(given.proxy, host),
    socket,
    pool,
    pipelining,
  };
};

const MODES = ['implicit', 'starttls', 'none'] as const;

const checkSecurity = (value: unknown, host: string): Settings['modes'] => {
  if (value === undefined) return isLoopback(host) ? 'auto' : 'tls';
  if (Array.isArray(value)) return list(oneOf(MODES))(value, 'security');
  const mode = oneOf(['auto', 'tls', ...MODES])(value, 'security');
  return mode === 'auto' || mode === 'tls' ? mode : [mode];
};

const checkTimeouts = (value: unknown = {}, automatic: boolean): Pick<Settings, 'timeouts' | 'silence'> => {
  const limits = Object.keys(DEFAULT_TIMEOUTS) as (keyof Timeouts)[];
  const given = fields(value, { path: 'timeouts', noun: 'option', known: limits });
  const checked = limits
    .filter((limit) => given[limit] !== undefined)
    .map((limit) => [limit, (limit === 'greeting' ? duration : durationOrForever)(given[limit], nameOf('timeouts', limit))] as const);
  const timeouts: Timeouts = { ...DEFAULT_TIMEOUTS, ...Object.fromEntries(checked) };
  return { timeouts, silence: automatic && given.greeting === undefined ? AUTOMATIC_GREETING_TIMEOUT : timeouts.greeting };
};

const lookupFunction = (value: unknown, name: string): LookupFunction => {
  if (typeof value === 'function') return value as LookupFunction;
  throw usage(`The option "${name}" must be a function.`);
};

// A socket has no port; as relays do, its server greets in clear text unless it is asked with TLS.
const SOCKET_PORT = 25;

// Node before 24 cuts a longer path without a word: whoever listens at what is left of it would get passwords and mail.
const LONGEST_PATH = process.platform === 'win32' ? Infinity : process.platform === 'linux' ? 107 : 103;

const socketSource = (value: unknown, name: string): SocketSource => {
  if (typeof value === 'function') return value as SocketSource;
  if (typeof value !== 'string' || !isAbsolute(text(value, name))) throw usage(`The option "${name}" must be the absolute path of a Unix socket, or a function that gives a stream.`);
  if (Buffer.byteLength(value) <= LONGEST_PATH) return value;
  throw usage(`The option "${name}" is longer than the ${LONGEST_PATH} bytes that a Unix socket's path may have. Shorten it, for instance with a symbolic link.`);
};

const localAddress = (value: unknown, name: string): string => {
  if (typeof value === 'string' && isAddress(value)) return value;
  throw usage(`The option "${name}" must be an IP address of this machine.`);
};

const checkLocalEndpoint = (value: unknown): LocalEndpoint | undefined => {
  if (value === undefined || typeof value === 'function') return value as LocalEndpoint | undefined;
  if (typeof value === 'string') return localAddress(value, 'localEndpoint');
  const given = fields(value, { path: 'localEndpoint', noun: 'option', known: ['address', 'port'], or: 'with "address" or "port", an address or a function' });
  return {
    ...(given.address === undefined ? {} : { address: localAddress(given.address, 'localEndpoint.address') }),
    ...(given.port === undefined ? {} : { port: localPort(given.port, 'localEndpoint.port') }),
  };
};

const checkPipelining = (value: unknown): Settings['pipelining'] => {
  if (value === undefined || typeof value === 'boolean') return { enabled: value ?? true, depth: undefined };
  const { depth } = fields(value, { path: 'pipelining', noun: 'option', known: ['depth'], or: 'with "depth", or true or false' });
  return { enabled: true, depth: optional(count)(depth, 'pipelining.depth') };
};

const checkDefaults = (value: unknown): void => {
  if (value === undefined) return;
  const { from } = fields(value, { path: 'defaults', noun: 'option', known: ['from'] });
  optional(text)(from, 'defaults.from');
};
