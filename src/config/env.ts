import { usage } from '../message/fields.js';
import { ownValue } from '../protocol/bare.js';
import type { Environment } from './environment.js';
import { portOf, securityOf } from './from-text.js';
import { checked, type SmtpOptions } from './options.js';
import { readPasswordFile } from './password-file.js';
import { fromUrl } from './url.js';

/**
 * Options from environment variables: `SMTP_URL`, or `SMTP_HOST`, `_PORT`, `_USER`, `_PASS` (or `_PASSWORD`, or `_PASSWORD_FILE`
 * with a file to read it from), `_SECURITY`, `_CLIENT_NAME`; `SMTP_FROM` becomes `defaults.from`. Empty variables count as absent.
 * @param env default `process.env`.
 * @throws SmtpUsageError naming the variable, or the option that it fills.
 */
export const fromEnv = (env: Environment = process.env, prefix = 'SMTP_'): SmtpOptions => {
  const read = (name: string): string | undefined => {
    const value = ownValue(env, prefix + name);
    return value === '' ? undefined : value;
  };
  const [url, host, port, user, security, clientName, from] = ['URL', 'HOST', 'PORT', 'USER', 'SECURITY', 'CLIENT_NAME', 'FROM'].map(read);
  if (port?.startsWith('tcp://') === true) throw usage(`The variable ${prefix}PORT comes from Kubernetes, which sets it for a Service of that name. Set "enableServiceLinks: false" for the pod, or name the variables with another prefix.`);
  const beside = BESIDE_NO_URL.filter((name) => read(name) !== undefined);
  if (url !== undefined && beside.length > 0) throw usage(`The variable ${prefix}URL stands alone; leave out ${beside.map((name) => prefix + name).join(' and ')}.`);
  const pass = password(read, prefix);
  if ((user === undefined) !== (pass === undefined)) throw usage(`The variable ${prefix}${user === undefined ? 'USER' : 'PASS'} is missing.`);
  if (host?.includes('://') === true) throw usage(`The variable ${prefix}HOST holds a URL. Put that into ${prefix}URL.`);
  if (url === undefined && host === undefined) throw usage(`The variable ${prefix}HOST (or ${prefix}URL) is missing.`);
  const server: SmtpOptions = url === undefined ? { host: host ?? '' } : fromUrl(url);
  if (clientName !== undefined && server.clientName !== undefined) throw usage(`The variable ${prefix}CLIENT_NAME and "clientName" in ${prefix}URL say the same thing; leave one.`);
  return checked({
    ...server,
    ...(port === undefined ? {} : { port: portOf(port, `variable ${prefix}PORT`) }),
    ...(user === undefined || pass === undefined ? {} : { auth: { user, pass } }),
    ...(security === undefined ? {} : { security: securityOf(security) }),
    ...(clientName === undefined ? {} : { clientName }),
    ...(from === undefined ? {} : { defaults: { from } }),
  });
};

// A URL says each of these itself.
const BESIDE_NO_URL = ['HOST', 'PORT', 'USER', 'PASS', 'PASSWORD', 'PASSWORD_FILE', 'SECURITY'];

const password = (read: (name: string) => string | undefined, prefix: string): string | undefined => {
  const given = ['PASS', 'PASSWORD', 'PASSWORD_FILE'].filter((name) => read(name) !== undefined);
  if (given.length > 1) throw usage(`The variables ${given.map((name) => prefix + name).join(' and ')} say the same thing; leave one.`);
  const file = read('PASSWORD_FILE');
  return file === undefined ? read('PASS') ?? read('PASSWORD') : readPasswordFile(file, `variable ${prefix}PASSWORD_FILE`);
};
