/** Loading it costs more than all of ours, and who neither encrypts nor signs in needs none of it: fetched at its first use. */
export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
