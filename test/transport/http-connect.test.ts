import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { first, firstValueFrom, scan } from 'rxjs';
import { expect, test } from 'vitest';
import { failureOf, way } from '../support/dialling.js';
import { startProxy } from '../support/fake-proxy.js';

const HOST = 'mail.example.com';
const INTERIM = 'HTTP/1.1 102 Processing\r\n\r\n';
const GREETING = '220 ready\r\n';

/** Each in a packet of its own. */
const write = async (client: Socket, pieces: readonly string[]): Promise<void> => {
  for (const piece of pieces) {
    client.write(piece);
    await setImmediate();
  }
};

test.each([
  ['a length (RFC 9110 section 9.3.6)', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
  ['two kinds of length', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n'],
  ['a folded line (RFC 9112 section 5.2)', 'HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n (any)\r\n\r\n'],
  ['bare LFs (RFC 9112 section 2.2)', 'HTTP/1.1 200 OK\nVia: 1.1 proxy\n\n'],
  ['a later version (RFC 9110 section 2.5)', 'HTTP/1.2 200 OK\r\n\r\n'],
])('a head with %s takes nothing of what the server says', async (_title, head) => {
  for (const pieces of [[`${head}${GREETING}`], [head, GREETING], Array.from(`${head}${GREETING}`)]) {
    await using proxy = await startProxy({ protocol: 'http', answer: (client) => { void write(client, pieces); } });
    const stream = await firstValueFrom(way(25, { host: HOST, proxy: proxy.url }));
    const said = await firstValueFrom(stream.bytes.pipe(scan((text, bytes) => text + String(bytes), ''), first((text) => text.length >= GREETING.length)));
    expect(said).toBe(GREETING);
    stream.destroy();
  }
});

test.each([[1, 'at once'], [5, 'at once'], [6, 'at once'], [1, 'by the byte'], [5, 'by the byte'], [6, 'by the byte']])('up to five answers may go before the last one (RFC 9110 section 15.2): %i, %s', async (count, how) => {
  const bytes = `${INTERIM.repeat(count)}HTTP/1.1 200 OK\r\n\r\n${GREETING}`;
  let asked = 0;
  await using proxy = await startProxy({ protocol: 'http', answer: (client) => {
    client.on('data', () => { asked += 1; });
    void write(client, how === 'at once' ? [bytes] : Array.from(bytes));
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
