import { didYouMean, shown, usage } from '../message/fields.js';
import { ownValue } from '../protocol/bare.js';
import type { SecurityMode } from '../protocol/connection-plan.js';
import { DEFAULT_TIMEOUTS } from '../protocol/timeouts.js';
import { NAMED_ELSEWHERE } from './elsewhere.js';
import { securityOf } from './from-text.js';
import { hostName } from './host.js';
import { checked, OPTIONS, type SmtpOptions } from './options.js';
import { decode, parseUrl } from './parse-url.js';

const SCHEMES: Readonly<Record<string, { readonly security?: SecurityMode; readonly port?: number }>> = {
  'smtp:': {},
  'smtps:': { security: 'implicit', port: 465 },
  'smtp+starttls:': { security: 'starttls' },
};

const FORM = 'smtp://user:pass@host:port, smtps:// for implicit TLS, or smtp+starttls://';

const TIMEOUTS = Object.keys(DEFAULT_TIMEOUTS).map((limit) => `timeouts.${limit}`);
const QUERY = ['clientName', 'security', 'stagger', 'allowedAuthentication', 'proxy', 'localEndpoint', ...TIMEOUTS];

/**
 * Options from a URL: `smtp://user:p%40ss@host:587?clientName=a&timeouts.greeting=5000`. User and password are
 * percent-decoded once. `smtp:` keeps the default `security`, `smtps:` is implicit TLS (465), `smtp+starttls:` is STARTTLS.
 * @throws SmtpUsageError that never shows the URL, which may hold a password.
 */
export const fromUrl = (text: string): SmtpOptions => {
  const url = parseUrl(text, FORM);
  const scheme = ownValue(SCHEMES, url.protocol);
  if (scheme === undefined) throw usage(`The URL must have the form ${FORM}.`);
  if ((url.pathname !== '' && url.pathname !== '/') || url.hash !== '') throw usage('The URL must end behind its host, port and query. The name for EHLO is "?clientName=". Write "/", "?" and "#" in user and password as %2F, %3F and %23.');
  const port = url.port === '' ? scheme.port : Number(url.port);
  return checked({
    host: hostName(decode(url.hostname, 'host'), 'host'),
    ...(port === undefined ? {} : { port }),
    ...(scheme.security === undefined ? {} : { security: scheme.security }),
    ...credentials(url),
    // In a URL a plus is a plus (RFC 3986): only forms write a blank so.
    ...query(new URLSearchParams(url.search.replaceAll('+', '%2B')), scheme.security),
  });
};

const credentials = ({ username, password }: URL): Pick<SmtpOptions, 'auth'> => {
  if (username === '' && password === '') return {};
  if (username === '' || password === '') throw usage(`The URL names a ${username === '' ? 'password and no user (auth.user)' : 'user and no password (auth.pass)'}.`);
  return { auth: { user: decode(username, 'user'), pass: decode(password, 'password') } };
};

const query = (given: URLSearchParams, security: SecurityMode | undefined): Partial<SmtpOptions> => {
  const options: { -readonly [name in keyof SmtpOptions]?: SmtpOptions[name] } = {};
  const timeouts: Record<string, number> = {};
  const seen = new Set<string>();
  for (const [name, value] of given) {
    if (!QUERY.includes(name)) throw unknown(name);
    if (seen.has(name)) throw usage(`The URL gives "${name}" twice.`);
    seen.add(name);
    if (name === 'clientName' || name === 'proxy' || name === 'localEndpoint') options[name] = value;
    else if (name === 'allowedAuthentication') options.allowedAuthentication = value.split(',');
    else if (name === 'security') {
      if (security !== undefined) throw usage('The URL says twice how it is secured. Use smtp:// with "security", or leave it out.');
      options.security = securityOf(value);
    } else if (name === 'stagger') options.stagger = milliseconds(value);
    else timeouts[name.slice('timeouts.'.length)] = milliseconds(value);
  }
  return Object.keys(timeouts).length === 0 ? options : { ...options, timeouts };
};

/** What is no number is refused with the option that it was meant for. */
const milliseconds = (value: string): number => (value === 'Infinity' ? Infinity : /^\d{1,15}$/.test(value) ? Number(value) : NaN);

const unknown = (name: string): Error => {
  if (/^(?:tls|ssl|secure|starttls|requiretls|ignoretls)$/i.test(name)) return usage(`Unknown option "${name}" in the URL. How it is secured is said by its scheme, smtps:// or smtp+starttls://, or by "security".`);
  const elsewhere = ownValue(NAMED_ELSEWHERE, name);
  if (elsewhere !== undefined) return usage(`Unknown option "${name}" in the URL. It ${elsewhere}`);
  const [option = ''] = name.split('.', 1);
  if (OPTIONS.some((known) => known === option) && !QUERY.some((known) => known.startsWith(option))) return usage(`The option "${option}" cannot stand in the query of a URL. Give it beside the URL: { ...fromUrl(url), ${option} }.`);
  // One of its limits is as good as another.
  return usage(`Unknown option "${shown(name)}" in the URL.${(name !== 'timeouts' && didYouMean(name, QUERY)) || ` Known are ${QUERY.slice(0, -TIMEOUTS.length).join(', ')} and timeouts.*, as in "timeouts.greeting=5000".`}`);
};
