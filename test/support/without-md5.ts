import crypto from 'node:crypto';
import { vi } from 'vitest';

/** As Node in FIPS mode, until the test is over. */
export const withoutMd5 = (): void => {
  const { createHmac } = crypto;
  vi.spyOn(crypto, 'createHmac').mockImplementation((digest, key) => {
    if (digest === 'md5') throw Object.assign(new Error('Invalid digest: md5'), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
    return createHmac(digest, key);
  });
};
