import type { Socket } from 'node:net';
import { concatMap, count, filter, finalize, first, lastValueFrom, mergeMap, range, scan, timer, type Observable } from 'rxjs';
import { expect, test } from 'vitest';
import { settings } from '../../src/config/options.js';
import type { ByteStream } from '../../src/transport/byte-stream.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { dial } from '../../src/transport/dial.js';
import { cut } from '../support/cuts.js';
import { GRANTED, startProxy } from '../support/fake-proxy.js';

const RUNS = 1000;
const AT_ONCE = 24;
const GREETING = '220 mail.example.com ESMTP ready\r\n';

// The same sequence in every run of the test (Lehmer).
let seed = 1;
const below = (limit: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % limit;
};

/** The answer and the greeting in one piece or cut anywhere, each piece in this turn or the next, and then perhaps the end. */
const inPieces = (client: Socket, bytes: Buffer): void => {
  const pieces = [...cut(bytes, Array.from({ length: below(4) }, () => below(bytes.length)))];
  const next = (): void => {
    const piece = pieces.shift();
    if (piece !== undefined) client.write(piece);
    else if (below(2) === 0) client.end();
    if (piece === undefined) return;
    if (below(2) === 0) next();
    else setImmediate(next);
  };
  next();
};

const keepBusy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
};

const greetingOf = (stream: ByteStream): Observable<string> =>
  stream.bytes.pipe(
    scan((text, chunk) => text + chunk.toString('latin1'), ''),
    first((text) => text.length >= GREETING.length, ''),
    finalize(() => { stream.destroy(); }),
  );

test.each([['socks4', RUNS], ['socks4a', 100], ['socks5', RUNS], ['http', RUNS]] as const)('no byte behind the answer of a %s proxy is lost, %i times', async (protocol, runs) => {
  await using proxy = await startProxy({ protocol, answer: (client) => { inPieces(client, Buffer.concat([GRANTED[protocol], Buffer.from(GREETING)])); } });
  const options = settings({ host: '192.0.2.1', proxy: proxy.url });
  const open$ = dial({ host: options.host, port: 25 }, { settings: options, operation: deadline(monotonic, 'operation', Infinity), scheduler: monotonic, rank: () => 0 });
  const intact = await lastValueFrom(range(0, runs).pipe(
    mergeMap(() => open$.pipe(
      concatMap((stream) => {
        if (below(50) === 0) keepBusy(2);
        // Whoever takes the stream reads at once, in the next turn, or later.
        const when = below(3);
        return when === 0 ? greetingOf(stream) : timer(when === 1 ? 0 : 1 + below(4)).pipe(concatMap(() => greetingOf(stream)));
      }),
    ), AT_ONCE),
    filter((text) => text === GREETING),
    count(),
  ));
  expect(intact).toBe(runs);
  await proxy.idle();
});
