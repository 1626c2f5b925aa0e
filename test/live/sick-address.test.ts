import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, retryWhenSafe, SmtpClient, type SmtpOptions } from '../../src/index.js';
import { startServer, type Fault, type TestServer } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { answers } from '../support/dialling.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';

const HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
const DRAINING: Fault = { at: 'greeting', do: 'reply', reply: '421 4.3.2 draining', times: Infinity };

/** Servers of one name and port: each has an address, and faults. */
const backends = async (...faults: readonly (readonly Fault[])[]): Promise<readonly TestServer[] & AsyncDisposable> => {
  const servers: TestServer[] = [];
  for (const [index, its] of faults.entries()) servers.push(await startServer({ host: HOSTS[index]!, port: servers[0]?.port ?? 0, users: { ann: 'secret' }, faults: its }));
  return Object.assign(servers, { [Symbol.asyncDispose]: async () => { for (const server of servers) await server[Symbol.asyncDispose](); } });
};

const clientOf = ([first, ...others]: readonly TestServer[], options: Partial<SmtpOptions> = {}): SmtpClient =>
  new SmtpClient({ host: 'mail.test', port: first!.port, security: 'none', lookup: answers(...HOSTS.slice(0, others.length + 1)), timeouts: { quit: 100 }, ...options });

/** How often a connection was made to each. */
const met = (servers: readonly TestServer[]): readonly number[] => servers.map(({ sessions }) => sessions.length);

describe('where the first of two addresses takes connections and no mail', () => {
  it.each<[string, Fault, object]>([
    ['421 in its greeting', DRAINING, { phase: 'greeting', reply: { code: 421 } }],
    ['554 in its greeting', { at: 'greeting', do: 'reply', reply: '554 5.3.2 maintenance', times: Infinity }, { phase: 'greeting', reply: { code: 554 } }],
    ['an end', { at: 'greeting', do: 'close', times: Infinity }, { phase: 'greeting', code: 'E_CLOSED' }],
    ['silence', { at: 'greeting', do: 'silence', times: Infinity }, { phase: 'greeting', code: 'E_TIMEOUT' }],
    ['421 to EHLO', { at: 'ehlo', do: 'reply', reply: '421 4.3.2 draining', times: Infinity }, { phase: 'hello', reply: { code: 421 } }],
    ['silence behind EHLO', { at: 'ehlo', do: 'silence', times: Infinity }, { phase: 'hello', code: 'E_TIMEOUT' }],
  ])('%s is the answer of one mail, and the next one goes to the other', async (_, fault, expected) => {
    await using servers = await backends([fault], []);
    await using client = clientOf(servers, fault.do === 'silence' ? { timeouts: { greeting: 300, command: 300, quit: 100 } } : {});
    expect((await collect(client.send(MAIL))).error).toMatchObject(expected);
    expect((await collect(client.send(MAIL))).error).toBeUndefined();
    expect(met(servers)).toEqual([1, 1]);
  });

  it('a retry goes to the other also where STARTTLS is broken', async () => {
    await using servers = await backends([{ at: 'starttls', do: 'reply', reply: '454 4.7.0 no TLS now', times: Infinity }], []);
    await using client = clientOf(servers, { security: 'starttls', tls: { ca: servers[0]!.ca, servername: 'localhost' } });
    await firstValueFrom(client.send({ ...MAIL, raw: () => MAIL.raw }).pipe(retryWhenSafe({ count: 1, delay: 0 }), receipts()));
    expect(met(servers)).toEqual([1, 1]);
  });

  it('a retry goes to the other', async () => {
    await using servers = await backends([DRAINING], []);
    await using client = clientOf(servers, { pool: false });
    await firstValueFrom(client.send({ ...MAIL, raw: () => MAIL.raw }).pipe(retryWhenSafe({ count: 1, delay: 0 }), receipts()));
    expect(met(servers)).toEqual([1, 1]);
  });

  it('a sign-in that is refused for now is asked for there again', async () => {
    await using servers = await backends([{ at: 'auth', do: 'reply', reply: '454 4.7.0 not now', times: Infinity }], []);
    await using client = clientOf(servers, { auth: { user: 'ann', pass: 'secret' }, allowInsecureAuth: true });
    for (let mail = 1; mail <= 2; mail += 1) expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_AUTH', reply: { code: 454 } });
    expect(met(servers)).toEqual([2, 0]);
  });
});

it('where all are sick they are tried in turn', async () => {
  await using servers = await backends([DRAINING], [DRAINING]);
  await using client = clientOf(servers);
  const tried: string[] = [];
  for (let mail = 1; mail <= 4; mail += 1) for (const event of (await collect(client.send(MAIL))).events) if (event.type === 'connected') tried.push(event.remote.address);
  expect(tried).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.3']);
});

it('a pool that meets a sick address first has all its connections at the other', async () => {
  await using servers = await backends([DRAINING], []);
  await using client = clientOf(servers);
  const failed = outcomes(await sendAll(client, mails(60))).filter((outcome) => outcome !== 'accepted');
  expect(failed.length).toBeLessThanOrEqual(1);
  expect(await firstValueFrom(client.state$)).toMatchObject({ open: 5 });
});
