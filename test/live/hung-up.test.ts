import { describe, expect, it, vi } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';
import { clientOf, verify } from '../support/sign-in.js';

const INTRODUCED = '250-mail.example\r\n250 AUTH PLAIN XOAUTH2';

describe('a server that hangs up before AUTH is sent', () => {
  it('gets the mails of those that waited for the first verdict on the connection that it has left', async () => {
    await using server = await startServer({
      signIn: { PLAIN: async () => { await vi.waitFor(() => { expect([server.sessions.length, server.connections]).toEqual([3, 1]); }); return 'ann'; } },
      faults: [2, 3].map((session) => ({ at: 'ehlo', session, do: 'close', ms: 50, reply: INTRODUCED })),
    });
    await using client = clientOf(server, { auth: { user: 'ann', pass: 'open sesame' }, pool: { maxConnections: 3 } });
    expect(outcomes(await sendAll(client, mails(9)))).toEqual(Array(9).fill('accepted'));
    expect(server.sessions).toHaveLength(3);
  });

  it('is not said to have been asked', async () => {
    await using server = await startServer({ faults: [{ at: 'ehlo', do: 'close', reply: INTRODUCED }] });
    const token = async (): Promise<string> => { await vi.waitFor(() => { expect(server.connections).toBe(0); }); return 'token'; };
    const { error } = await verify(server, { auth: { user: 'ann', token } });
    expect(error).toMatchObject({ code: 'E_CLOSED', phase: 'idle', outcome: 'not-sent', retryable: true });
    expect(error?.message).toContain('closed the connection before AUTH was sent. The mail was not sent; try again later.');
  });
});
