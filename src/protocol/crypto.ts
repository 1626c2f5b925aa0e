/** Loading it costs more than all of ours, and who neither encrypts nor signs in needs none of it: fetched at its first use. */
export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

/** In FIPS mode, or built without it, OpenSSL has none. */
export const hasMd5 = (): boolean => {
  try {
    crypto().createHmac('md5', '');
    return true;
  } catch {
    return false;
  }
};

/** Are they the same? How long that takes does not tell where they differ. */
export const isEqual = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && crypto().timingSafeEqual(one, other);
