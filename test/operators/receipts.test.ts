import { defer, EMPTY, from, lastValueFrom, takeWhile, toArray, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, type SmtpEvent } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';

const told = (types: string): Observable<SmtpEvent> => from(types.split(' ').filter(Boolean).map((type) => ({ type }) as SmtpEvent));

describe('the receipts', () => {
  it.each<[string, object]>([
    ['', { code: 'E_CLOSED', phase: 'connect', outcome: 'not-sent' }],
    ['attempt-started', { code: 'E_CLOSED', phase: 'connect', outcome: 'not-sent' }],
    ['attempt-started attempt-failed attempt-started connected greeted introduced secured warning authenticated', { code: 'E_CLOSED', phase: 'connect', outcome: 'not-sent' }],
    ['attempt-started ready', { code: 'E_CLOSED', phase: 'end-of-data', outcome: 'unknown' }],
    ['ready sender-accepted recipient-accepted progress', { code: 'E_CLOSED', phase: 'end-of-data', outcome: 'unknown' }],
    ['progress', { code: 'E_CLOSED', phase: 'end-of-data', outcome: 'unknown' }],
    ['ready failed ready failed', { code: 'E_USAGE', phase: 'options', outcome: 'not-sent' }],
  ])('of a stream that ends behind "%s" are none', async (types, expected) => {
    await expect(lastValueFrom(told(types).pipe(receipts()))).rejects.toMatchObject({ ...expected, retryable: false });
  });

  it('of several mails are those that came, wherever the stream is cut off', async () => {
    expect(await lastValueFrom(told('ready accepted ready accepted ready').pipe(receipts(), toArray()))).toHaveLength(2);
  });

  it('of each subscription are told from its own events', async () => {
    const streams = [told('ready'), told('connected')];
    const receipts$ = defer(() => streams.shift() ?? EMPTY).pipe(receipts());
    for (const outcome of ['unknown', 'not-sent']) await expect(lastValueFrom(receipts$)).rejects.toMatchObject({ outcome });
  });

  it.each([[[]], [['CHUNKING']]])('of a mail that is cancelled while its last answer is due are in doubt (without %j)', async (without) => {
    await using server = await startServer({ without, faults: [{ at: 'end-of-data', do: 'silence' }] });
    await using client = clientOf(server);
    await expect(lastValueFrom(client.send(MAIL).pipe(takeWhile(({ type }) => type !== 'progress'), receipts()))).rejects.toMatchObject({ outcome: 'unknown', reason: 'cancelled' });
  });
});
