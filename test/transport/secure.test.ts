import { Duplex } from 'node:stream';
import { lastValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { SocketStream } from '../../src/transport/byte-stream.js';
import { secure } from '../../src/transport/secure.js';

it('a context that cannot be made fails the handshake, and closes what would have carried it', async () => {
  const carrier = new Duplex({ read: () => undefined });
  const reason = new Error('no cipher');
  const settings = {
    versions: ['TLSv1.3'], skippedVersions: [], servername: undefined, rejectUnauthorized: true, fingerprints: undefined,
    context: () => { throw reason; },
  } as const;
  await expect(lastValueFrom(secure(new SocketStream(carrier), 'mail.example.com', settings, 'tls'))).rejects.toBe(reason);
  expect(carrier.destroyed).toBe(true);
});
