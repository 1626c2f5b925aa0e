/** Costly to load, and who sends in clear text to an address needs neither: fetched at their first use. */
export const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');
export const dns = (): typeof import('node:dns') => process.getBuiltinModule('node:dns');
