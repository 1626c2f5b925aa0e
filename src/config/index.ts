export { fromDotNetConfig } from './dot-net-config.js';
export { fromEnv } from './env.js';
export { fromJson } from './json.js';
export { loadOptions } from './load.js';
export type { SmtpOptions } from './options.js';
export { proxyFromEnv, type ProxyOptions } from './proxy.js';
export { fromUrl } from './url.js';
