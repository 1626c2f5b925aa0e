import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { failureOf, way } from '../support/dialling.js';
import { startProxy } from '../support/fake-proxy.js';

const HOST = 'mail.example.com';
const INTERIM = 'HTTP/1.1 102 Processing\r\n\r\n';

test('a second heading of lengths is ignored in a 2xx (RFC 9110 section 9.3.6)', async () => {
  await using proxy = await startProxy({ protocol: 'http', answer: (client) => client.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n220 ready and waiting\r\n') });
  const stream = await firstValueFrom(way(25, { host: HOST, proxy: proxy.url }));
  expect(String(await firstValueFrom(stream.bytes))).toBe('220 ready and waiting\r\n');
  stream.destroy();
});

test.each([[1, 'at once'], [5, 'at once'], [6, 'at once'], [1, 'by the byte'], [5, 'by the byte'], [6, 'by the byte']])('up to five answers may go before the last one (RFC 9110 section 15.2): %i, %s', async (count, how) => {
  const bytes = Buffer.from(`${INTERIM.repeat(count)}HTTP/1.1 200 OK\r\n\r\n220 ready\r\n`);
  const drip = async (client: Socket): Promise<void> => {
    for (const byte of bytes) {
      client.write(Buffer.from([byte]));
      await setImmediate();
    }
  };
  let asked = 0;
  await using proxy = await startProxy({ protocol: 'http', answer: (client) => {
    client.on('data', () => { asked += 1; });
    if (how === 'at once') client.write(bytes);
    else void drip(client);
  } });
  const way$ = way(25, { host: HOST, proxy: proxy.url });
  if (count > 5) expect(await failureOf(way$)).toMatchObject({ code: 'E_PROXY', reason: 'protocol', retryable: false });
  else {
    const stream = await firstValueFrom(way$);
    expect(String(await firstValueFrom(stream.bytes))).toMatch(/^2/);
    stream.destroy();
  }
  await proxy.idle();
  expect(asked).toBe(0);
});

test('a hang-up behind an answer that goes before the last one', async () => {
  await using proxy = await startProxy({ protocol: 'http', answer: (client) => client.end(INTERIM) });
  expect(await failureOf(way(25, { host: HOST, proxy: proxy.url }))).toMatchObject({ code: 'E_PROXY', reason: 'closed', retryable: true });
  await proxy.idle();
});

test('a head without end', async () => {
  await using proxy = await startProxy({ protocol: 'http', answer: (client) => {
    client.write('HTTP/1.1 200 OK\r\n');
    const more = (): void => { while (!client.destroyed && client.write('X-Filler: 0123456789\r\n'.repeat(50))); };
    client.on('drain', more);
    more();
  } });
  const error = await failureOf(way(25, { host: HOST, proxy: proxy.url }));
  expect(error).toMatchObject({ code: 'E_PROXY', reason: 'protocol', retryable: false });
  expect(error.message).toContain('more than 16384 bytes');
  await proxy.idle();
});
