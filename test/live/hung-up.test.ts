import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/index.js';
import { startServer, type Fault } from '../../src/testing/index.js';
import { collect } from '../support/collect.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';
import { clientOf, verify } from '../support/sign-in.js';

const INTRODUCED = '250-mail.example\r\n250 AUTH PLAIN XOAUTH2';

describe('a server that hangs up before AUTH is sent', () => {
  it('gets the mails of those that waited for the first verdict on the connection that it has left', async () => {
    await using server = await startServer({
      signIn: { PLAIN: async () => { await expect.poll(() => [server.sessions.length, server.connections]).toEqual([3, 1]); return 'ann'; } },
      faults: [2, 3].map((session) => ({ at: 'ehlo', session, do: 'close', ms: 50, reply: INTRODUCED })),
    });
    await using client = clientOf(server, { auth: { user: 'ann', pass: 'open sesame' }, pool: { maxConnections: 3 } });
    expect(outcomes(await sendAll(client, mails(9)))).toEqual(Array(9).fill('accepted'));
    expect(server.sessions).toHaveLength(3);
  });

  it('is not waited for where another connection has its turn', async () => {
    await using server = await startServer({ faults: [{ at: 'auth', do: 'silence' }, { at: 'ehlo', session: 2, do: 'close', reply: INTRODUCED }], signIn: { PLAIN: () => Promise.resolve('ann') } });
    await using client = clientOf(server, { auth: { user: 'ann', pass: 'open sesame' } });
    const trying = client.verify().subscribe();
    await expect.poll(() => server.sessions[0]?.lines.at(-1)).toMatch(/^C: AUTH/);
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_CLOSED', phase: 'idle' });
    expect(trying.closed).toBe(false);
    trying.unsubscribe();
  });

  it('is not said to have been asked', async () => {
    await using server = await startServer({ faults: [{ at: 'ehlo', do: 'close', reply: INTRODUCED }] });
    const token = async (): Promise<string> => { await expect.poll(() => server.connections).toBe(0); return 'token'; };
    const { error } = await verify(server, { auth: { user: 'ann', token } });
    expect(error).toMatchObject({ code: 'E_CLOSED', phase: 'idle', outcome: 'not-sent', retryable: true });
    expect(error?.message).toContain('closed the connection before AUTH was sent. The mail was not sent; try again later.');
  });
});

describe('a server that hangs up behind a refusal', () => {
  const TOKEN = 'ya29.a0AfB_token-of-ann~0123456789';
  const hangsUp = (reply: string, session?: number): Fault => ({ at: 'auth', do: 'close', reply, ...(session === undefined ? {} : { session }) });

  it.each(['535 5.7.8 No', '535 5.7.8 No\r\n421 4.7.0 Bye'])('hears the renewed token on another connection: %j', async (no) => {
    await using server = await startServer({ users: { ann: TOKEN }, mechanisms: ['XOAUTH2'], faults: [hangsUp(no)] });
    const calls: (number | undefined)[] = [];
    const token = ({ rejected }: { readonly rejected?: Reply }): readonly string[] => { calls.push(rejected?.code); return [rejected === undefined ? 'stale' : TOKEN]; };
    await using client = clientOf(server, { auth: { user: 'ann', token } });
    expect(outcomes(await sendAll(client, mails(1)))).toEqual(['accepted']);
    expect(calls).toEqual([undefined, 535]);
    expect(server.sessions).toHaveLength(2);
  });

  it('hears no third one, and its words are told', async () => {
    await using server = await startServer({ users: { ann: TOKEN }, mechanisms: ['XOAUTH2'], faults: [1, 2].map((session) => hangsUp('535 5.7.8 No', session)) });
    const { error } = await verify(server, { auth: { user: 'ann', token: () => ['revoked'] } });
    expect(error).toMatchObject({ code: 'E_AUTH', outcome: 'refused', retryable: false, reply: { code: 535 } });
    expect(server.sessions).toHaveLength(2);
  });

  it('has refused a mechanism, and not the one behind it', async () => {
    await using server = await startServer({ users: { ann: TOKEN }, mechanisms: ['CRAM-MD5', 'PLAIN'], faults: [hangsUp('504 5.5.4 No')] });
    expect((await verify(server, { auth: { user: 'ann', pass: TOKEN } })).error).toBeUndefined();
    expect(server.sessions).toHaveLength(2);
  });

  it('each time, is told of with what it said, and asked again by the next mail', async () => {
    await using server = await startServer({ users: { ann: TOKEN }, mechanisms: ['CRAM-MD5', 'PLAIN'], faults: [1, 2].map((session) => hangsUp('504 5.5.4 No', session)) });
    await using client = clientOf(server, { auth: { user: 'ann', pass: TOKEN } });
    const { error } = await collect(client.verify());
    expect(error).toMatchObject({ code: 'E_AUTH', outcome: 'refused', retryable: true, reply: { code: 504 }, tried: ['CRAM-MD5'] });
    expect(error?.message).toContain('It hung up before it answered PLAIN.');
    expect(outcomes(await sendAll(client, mails(1)))).toEqual(['accepted']);
  });

  it('leaves no refused token to later ones', async () => {
    await using server = await startServer({ users: { ann: TOKEN }, mechanisms: ['XOAUTH2'], faults: [hangsUp('535 5.7.8 No', 1), { at: 'auth', session: 2, do: 'close' }] });
    const calls: (number | undefined)[] = [];
    await using client = clientOf(server, { auth: { user: 'ann', token: ({ rejected }) => { calls.push(rejected?.code); return [calls.length < 3 ? `stale-${calls.length}` : TOKEN]; } } });
    expect((await collect(client.verify())).error).toMatchObject({ code: 'E_CLOSED', retryable: true });
    expect(outcomes(await sendAll(client, mails(1)))).toEqual(['accepted']);
    expect(calls).toEqual([undefined, 535, undefined]);
  });
});

it('a server that is silent behind a refusal has not hung up: that is told, and no other connection is asked', async () => {
  await using server = await startServer({ users: { ann: 'open sesame' }, mechanisms: ['CRAM-MD5', 'PLAIN'], faults: [{ at: 'auth', do: 'reply', reply: '504 5.5.4 No' }, { at: 'auth', do: 'silence' }] });
  const { error } = await verify(server, { auth: { user: 'ann', pass: 'open sesame' }, timeouts: { command: 100 } });
  expect(error).toMatchObject({ code: 'E_TIMEOUT', phase: 'auth', limit: 'command' });
  expect(server.sessions).toHaveLength(1);
});
