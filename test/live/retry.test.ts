import { getEventListeners } from 'node:events';
import { catchError, defer, EMPTY, firstValueFrom, lastValueFrom, tap, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, retryWhenSafe } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL as RAW } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

describe('retryWhenSafe', () => {
  it('sends again with the same Message-ID, and never what may have been accepted', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'reply', reply: '451 4.7.1 greylisted' }, { at: 'end-of-data', do: 'close', session: 2 }] });
    await using client = clientOf(server, { pool: false });
    const receipt = await firstValueFrom(client.send({ ...RAW, raw: () => RAW.raw }).pipe(retryWhenSafe({ count: 1, delay: 1 }), receipts()).pipe(tap({ error: () => undefined }))).catch((error: unknown) => error);
    expect(receipt).toMatchObject({ code: 'E_CLOSED', outcome: 'unknown' });
    expect(server.sessions).toHaveLength(2);
  });

  for (const [way, options] of Object.entries({ 'in one transaction': {}, 'in two': { limits: { recipients: 1 } } })) {
    it.each([['nobody@example.org', 'grey@example.org'], ['grey@example.org', 'nobody@example.org']])(`sends again where all were refused, one of them only for now, ${way}: %s, %s`, async (...to) => {
      let isKnown = false;
      await using server = await startServer({
        ...options,
        onRecipient: (path) => {
          if (path === 'nobody@example.org') return '550 5.1.1 No such user';
          if (isKnown) return undefined;
          isKnown = true;
          return '450 4.7.1 greylisted';
        },
      });
      await using client = clientOf(server);
      const receipt = await firstValueFrom(client.send({ ...RAW, envelope: { from: 'ann@example.com', to } }).pipe(retryWhenSafe({ count: 1, delay: 1 }), receipts()));
      expect(receipt).toMatchObject({ accepted: ['grey@example.org'], refused: [{ recipient: 'nobody@example.org', reply: { code: 550 } }] });
    });
  }

  it.each([
    [{ retryable: true, outcome: 'refused' }, 2],
    [{ retryable: true, outcome: 'unknown' }, 1],
    [{ retryable: false, outcome: 'refused' }, 1],
    [{ retryable: true }, 1],
    [{}, 1],
  ])("goes by what an error says, whose class is another copy's: %s", async (failure, tries) => {
    let tried = 0;
    const failing = defer(() => { tried += 1; return throwError(() => Object.assign(new Error('no'), failure)); });
    await lastValueFrom(failing.pipe(retryWhenSafe({ count: 1, delay: 0 }), catchError(() => EMPTY)), { defaultValue: undefined });
    expect(tried).toBe(tries);
  });

  it.each([['while it waits', false], ['before it would', true]])('fails with what was answered, once it is aborted %s', async (_, isBefore) => {
    const shutdown = new AbortController();
    await using server = await startServer({ onRecipient: () => '450 4.7.1 greylisted' });
    await using client = clientOf(server);
    const delay = (): number => { setImmediate(() => { shutdown.abort(); }); return 3_600_000; };
    if (isBefore) shutdown.abort();
    const { error } = await collect(client.send({ ...RAW, raw: () => RAW.raw }).pipe(retryWhenSafe({ delay, signal: shutdown.signal })));
    expect(error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: true, reply: { code: 450 } });
    expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: MAIL'))).toHaveLength(1);
  });

  it('lets a mail through that its signal does not stop', async () => {
    const { signal } = new AbortController();
    await using server = await startServer({ faults: [{ at: 'rcpt', do: 'reply', reply: '450 4.7.1 greylisted' }] });
    await using client = clientOf(server);
    const receipt = await firstValueFrom(client.send({ ...RAW, raw: () => RAW.raw }).pipe(retryWhenSafe({ delay: 1, signal }), receipts()));
    expect(receipt.accepted).toEqual(RAW.envelope.to);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('hears of its signal once, however many mails wait', async () => {
    const shutdown = new AbortController();
    const failing = throwError(() => Object.assign(new Error('no'), { retryable: true, outcome: 'refused' }));
    const waiting = Array.from({ length: 12 }, () => lastValueFrom(failing.pipe(retryWhenSafe({ delay: 3_600_000, signal: shutdown.signal }), catchError(() => EMPTY)), { defaultValue: 'over' }));
    expect(getEventListeners(shutdown.signal, 'abort')).toHaveLength(1);
    shutdown.abort();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'over'));
  });

  it('checks its options', () => {
    for (const [options, text] of [[{ cuont: 1 }, 'Did you mean "count"'], [{ retries: 3 }, 'Known: count, delay, scheduler, signal.'], [3, 'The options of retryWhenSafe() must be an object.'], [{ count: NaN }, '"count"'], [{ count: -1 }, '"count"'], [{ delay: NaN }, '"delay"'], [{ delay: '5' }, '"delay"'], [{ delay: Infinity }, '"delay"'], [{ count: 1.5 }, '"count"'], [{ scheduler: 5 }, '"scheduler"'], [{ signal: true }, '"signal"'], [null, 'must be an object']] as const)
      expect(() => retryWhenSafe(options as object)).toThrow(text);
    expect(() => retryWhenSafe({ count: Infinity, delay: 0 })).not.toThrow();
  });

  it.each([NaN, Infinity, -1, undefined, '5'])('does not retry where its delay is none: %s', async (delay) => {
    await using server = await startServer({ faults: [{ at: 'mail', do: 'reply', reply: '451 4.7.1 greylisted', times: Infinity }] });
    await using client = clientOf(server);
    const { error } = await collect(client.send({ ...RAW, raw: () => RAW.raw }).pipe(retryWhenSafe({ delay: () => delay as number })));
    expect(error).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('"delay" must give') as string });
    expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: MAIL'))).toHaveLength(1);
  });
});
