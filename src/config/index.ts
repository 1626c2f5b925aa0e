export { fromEnv } from './env.js';
export { fromJson } from './json.js';
export type { SmtpOptions } from './options.js';
export { fromUrl } from './url.js';
