import { filter, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/index.js';
import { startServer, testAuthority, type Fault } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

describe('a server that takes only so many connections', () => {
  it.each(['421 4.7.0 too many connections', '432 4.3.2 Concurrent connections limit exceeded'])('gets each mail over those: %s', async (greeting) => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'close', reply: greeting, skip: 2, times: Infinity }] });
    await using client = clientOf(server);
    const events = await lastValueFrom(client.sendAll(Array<Message>(50).fill(MAIL)).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(events.map(({ type }) => type)).toEqual(Array(50).fill('accepted'));
    expect(server.sessions.length).toBeLessThanOrEqual(5);
  });

  it.each([['implicit', { do: 'close' }], ['implicit', { do: 'reset' }], ['tls', { do: 'close' }], ['starttls', { do: 'reset' }]] as const)('gets each mail over those, also where it hangs up in the midst of TLS: %s, %o', async (security, fault) => {
    await using server = await startServer({ tls: security === 'implicit' ? 'implicit' : 'starttls', faults: [{ at: 'tls', ...fault, skip: 2, times: Infinity }] });
    await using client = clientOf(server, { host: 'localhost', security, tls: { ca: testAuthority } });
    const events = await lastValueFrom(client.sendAll(Array<Message>(50).fill(MAIL)).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(events.map(({ type }) => type)).toEqual(Array(50).fill('accepted'));
  });

  it.each<Fault>([
    { at: 'ehlo', do: 'close', skip: 2 }, { at: 'ehlo', do: 'reset', skip: 2 }, { at: 'starttls', do: 'close', skip: 1 }, { at: 'starttls', do: 'reply', reply: '421 4.7.0 Later', skip: 1 },
    { at: 'auth', do: 'close', skip: 1 }, { at: 'auth', do: 'reply', reply: '432 4.3.2 Concurrent connections limit exceeded', skip: 1 },
  ])('gets each mail over those that it had opened before, wherever it ends others: %o', async (fault) => {
    await using server = await startServer({ users: { ann: 'open sesame' }, mechanisms: ['PLAIN'], faults: [{ ...fault, times: Infinity }, { at: 'end-of-data', do: 'delay', ms: 20, times: Infinity }] });
    await using client = clientOf(server, { host: 'localhost', security: 'starttls', tls: { ca: testAuthority }, auth: { user: 'ann', pass: 'open sesame' } });
    await lastValueFrom(client.send(MAIL));
    const events = await lastValueFrom(client.sendAll(Array<Message>(12).fill(MAIL), { concurrency: 12 }).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(events.map(({ type }) => type)).toEqual(Array(12).fill('accepted'));
  });

  it('has not refused the password, whatever its code, so that the next connection signs in', async () => {
    await using server = await startServer({ users: { ann: 'open sesame' }, faults: [
      { at: 'auth', do: 'reply', reply: '535 5.7.0 Too many concurrent connections', skip: 1, times: 4 }, { at: 'end-of-data', do: 'delay', ms: 20, times: Infinity },
    ] });
    await using client = clientOf(server, { auth: { user: 'ann', pass: 'open sesame' }, allowInsecureAuth: true, pool: { maxMessages: 5 } });
    const events = await lastValueFrom(client.sendAll(Array<Message>(20).fill(MAIL), { concurrency: 20 }).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(events.map(({ type }) => type)).toEqual(Array(20).fill('accepted'));
  });

  it('may have refused a password that it never took, which is tried once, whatever it says', async () => {
    await using server = await startServer({ users: { ann: 'open sesame' }, faults: [{ at: 'auth', do: 'reply', reply: '535 5.7.8 Wrong password, or too many connections', times: Infinity }] });
    await using client = clientOf(server, { auth: { user: 'ann', pass: 'closed sesame' }, allowInsecureAuth: true });
    const events = await lastValueFrom(client.sendAll(Array<Message>(20).fill(MAIL), { concurrency: 20 }).pipe(filter(({ type }) => type === 'accepted' || type === 'failed'), toArray()));
    expect(events.map(({ type }) => type)).toEqual(Array(20).fill('failed'));
    expect(server.sessions.flatMap(({ lines }) => lines).filter((line) => line.startsWith('C: AUTH'))).toHaveLength(1);
  });

  it('gets a mail over another one where a new one is not greeted', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'silence', skip: 1, times: Infinity }, { at: 'end-of-data', do: 'delay', ms: 50 }] });
    await using client = clientOf(server, { timeouts: { greeting: 500 } });
    const told = await Promise.all([collect(client.send(MAIL)), collect(client.send(MAIL))]);
    expect(told.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(server.messages).toHaveLength(2);
  });

  it('is the reason where it takes none', async () => {
    await using server = await startServer({ faults: [{ at: 'greeting', do: 'close', reply: '421 4.7.0 too many connections', times: Infinity }] });
    await using client = clientOf(server);
    const told = await Promise.all([collect(client.send(MAIL)), collect(client.send(MAIL))]);
    for (const { error } of told) expect(error).toMatchObject({ code: 'E_REPLY', phase: 'greeting', outcome: 'refused', retryable: true });
  });
});
