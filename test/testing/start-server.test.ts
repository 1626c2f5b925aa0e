import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startServer, type ServerOptions } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { foreignBytes } from '../support/foreign.js';

describe('the server for tests', () => {
  it.each<[options: object, text: string]>([
    [{ falts: [] }, 'Did you mean "faults"'],
    [{ tls: 'tls' }, '"tls"'],
    [{ port: '2525' }, '"port"'],
    [{ size: '5' }, '"size"'],
    [{ limits: { recipient: 1 } }, 'Did you mean "limits.recipients"'],
    [{ limits: { recipients: '5' } }, '"limits.recipients"'],
    [{ without: 'CHUNKING' }, '"without" must be a list'],
    [{ mechanisms: [1] }, '"mechanisms" must be a list'],
    [{ users: null }, '"users"'],
    [{ users: { ann: 5 } }, '"users.ann"'],
    [{ onRecipient: '550 no' }, '"onRecipient" must be a function'],
    [{ cert: 'x' }, 'go together'],
    [{ cert: 'x', key: 'y' }, '"cert" and "key" must be'],
    [{ signIn: 5 }, '"signIn"'],
    [{ signIn: { X: 5 } }, '"signIn.X" must be a function'],
    [{ faults: 'x' }, '"faults"'],
    [{ faults: [{ at: 'rcptt', do: 'close' }] }, '"faults[0].at"'],
    [{ faults: [{ at: 'rcpt', do: 'colse' }] }, '"faults[0].do"'],
    [{ faults: [{ at: 'rcpt', do: 'close', time: 3 }] }, 'Did you mean "faults[0].times"'],
    [{ faults: [{ at: 'rcpt', do: 'reply' }] }, 'needs "reply"'],
    [{ faults: [{ at: 'rcpt', do: 'close', times: -1 }] }, '"faults[0].times"'],
    [{ faults: [{ at: 'rcpt', do: 'close', after: 10 }] }, '"faults[0].after" goes with'],
    [{ faults: [{ at: 'rcpt', do: 'close', session: 0 }] }, '"faults[0].session"'],
    [{ faults: [{ at: 'rcpt', do: 'split', cuts: 3 }] }, '"faults[0].cuts"'],
    [{ faults: [{ at: 'rcpt', do: 'dribble', ms: 1, bytes: 0 }] }, '"faults[0].bytes"'],
    [{ faults: [{ at: 'rcpt', do: 'close', times: 1.5 }] }, '"faults[0].times"'],
    [{ faults: [{ at: 'rcpt', do: 'close', skip: NaN }] }, '"faults[0].skip"'],
    [{ faults: [{ at: 'rcpt', do: 'delay', ms: Infinity }] }, '"faults[0].ms"'],
    [{ faults: [{ at: 'rcpt', do: 'delay', ms: 2 ** 31 }] }, '"faults[0].ms"'],
    [{ faults: [{ at: 'rcpt', do: 'split', cuts: ['a'] }] }, '"faults[0].cuts"'],
    [{ faults: [{ at: 'rcpt', do: 'glue', extra: 5 }] }, '"faults[0].extra"'],
    [{ faults: [{ at: 'rcpt', do: 'garbage', bytes: 'text' }] }, '"faults[0].bytes"'],
    [{ faults: [{ at: 'rcpt', do: 'silence', reply: '250 2.0.0 Ok' }] }, `"faults[0].reply" does not go with "do: 'silence'"`],
  ])('refuses %j', async (options, text) => {
    await expect(startServer(options)).rejects.toThrow(text);
  });

  it('takes bytes of another realm', async () => {
    await using server = await startServer({ faults: [{ at: 'mail', do: 'garbage', bytes: foreignBytes('250 Ok\r\n') }] });
    expect(server.unstruck).toHaveLength(1);
  });

  it.each<[what: string, options: ServerOptions, text: string]>([
    ['throws', { onMessage: () => { throw new Error('no such mail was expected'); } }, 'no such mail was expected'],
    ['gives a promise', { onRecipient: (() => Promise.resolve('550 no')) as never }, '"onRecipient" gave a promise'],
    ['gives a promise that fails', { onMessage: (async () => { await Promise.resolve(); expect(1).toBe(2); }) as never }, '"onMessage" gave a promise'],
    ['gives no reply', { onSender: () => 'no such user' }, '"onSender" must give a reply'],
  ])('ends the connection where a function %s, and tells whoever waits for it', async (_, options, text) => {
    const server = await startServer(options);
    const client = clientOf(server);
    expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_CLOSED' });
    await client.close();
    await expect(server.idle()).rejects.toThrow(text);
    await expect(server.close()).rejects.toThrow(text);
  });

  it.each(['end', 'destroy'] as const)('is idle where the client leaves by %s() before it is told to start TLS', async (leave) => {
    const server = await startServer({ faults: [{ at: 'starttls', do: 'delay', ms: 100 }] });
    const socket = connect(server.port, server.host).resume();
    await once(socket, 'data');
    socket.write('STARTTLS\r\n');
    await expect.poll(() => server.sessions[0]?.lines).toContain('C: STARTTLS');
    socket[leave]();
    await server.idle();
    await server.close();
  });

  it.each([[[], 0], [[], 10], [['CHUNKING'], 0], [['CHUNKING'], 10]] as const)('strikes inside a small content, without %j, behind %i bytes, and does not take it', async (without, after) => {
    await using server = await startServer({ without, faults: [{ at: 'body', do: 'reply', reply: '552 5.3.4 Too big', after }] });
    await using client = clientOf(server);
    expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_REPLY', outcome: 'refused', reply: { code: 552 } });
    expect(server.messages).toHaveLength(0);
    expect((await collect(client.send(MAIL))).types.at(-1)).toBe('accepted');
    expect(server.messages).toHaveLength(1);
  });

  it('tells which faults have not struck', async () => {
    const [data, mail] = [{ at: 'data', do: 'reply', reply: '451 4.3.0 Later' }, { at: 'mail', do: 'delay', ms: 1, times: Infinity }] as const;
    await using server = await startServer({ faults: [data, mail] });
    expect(server.unstruck).toEqual([data, mail]);
    await using client = clientOf(server);
    await collect(client.send(MAIL));
    expect(server.unstruck).toEqual([data]);
  });

  it('says nothing behind a farewell, which stands in the dialogue', async () => {
    await using server = await startServer();
    const socket = connect(server.port, server.host).resume();
    await once(socket, 'data');
    server.disconnect('421 4.3.2 Shutting down');
    socket.end('NOOP\r\n');
    await server.idle();
    expect(server.sessions[0]?.lines).toEqual(['S: 220 test.example ESMTP ready', 'S: 421 4.3.2 Shutting down', 'C: NOOP']);
  });
});
