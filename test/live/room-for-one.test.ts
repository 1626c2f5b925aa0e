import { connect, type Socket } from 'node:net';
import { filter, firstValueFrom, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { SmtpClient, SmtpOptions } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { closedPort, listen } from '../support/listen.js';

// It greets only when the others have failed.
const LATE = { faults: [{ at: 'greeting', do: 'delay', ms: 50 }] } as const;

const eight = (client: SmtpClient): Promise<readonly unknown[]> => Promise.all(Array.from({ length: 8 }, () => collect(client.send(MAIL)).then(({ error }) => error?.code ?? 'accepted')));

/** A stream for each connection, as long as there is room. */
const streams = (port: number, room: number): { readonly socket: () => Socket; opened: number } => ({
  opened: 0,
  socket() {
    this.opened += 1;
    return connect(this.opened <= room ? port : 1, '127.0.0.1');
  },
});

describe('where there is room for one connection only, all mails go over that', () => {
  it('because a firewall refuses the others', async () => {
    await using server = await startServer(LATE);
    const given = streams(server.port, 1);
    await using client = clientOf(server, { socket: () => given.socket() });
    expect(await eight(client)).toEqual(Array(8).fill('accepted'));
    expect(await eight(client)).toEqual(Array(8).fill('accepted'));
    expect(given.opened).toBeLessThanOrEqual(6);
  });

  it.each(['EAI_AGAIN', 'ENOTFOUND'])('because the resolver knows the name no more: %s', async (code) => {
    await using server = await startServer(LATE);
    let asked = 0;
    const lookup: NonNullable<SmtpOptions['lookup']> = (_host, _options, found) => {
      asked += 1;
      if (asked === 1) found(null, [{ address: server.host, family: 4 }]);
      else found(Object.assign(new Error(code), { code }), []);
    };
    await using client = clientOf({ host: 'mail.example.com', port: server.port }, { lookup });
    expect(await eight(client)).toEqual(Array(8).fill('accepted'));
    expect(asked).toBeGreaterThan(1);
  });

  it('because the local port is given', async () => {
    await using server = await startServer(LATE);
    await using client = clientOf(server, { localEndpoint: { address: '127.0.0.1', port: await closedPort() } });
    expect(await eight(client)).toEqual(Array(8).fill('accepted'));
  });

  it('because the proxy lets one through', async () => {
    await using server = await startServer(LATE);
    let isTaken = false;
    await using proxy = await listen((socket) => {
      if (isTaken) { socket.destroy(); return; }
      isTaken = true;
      socket.once('data', () => {
        const onward = connect(server.port, '127.0.0.1', () => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); });
        socket.pipe(onward).pipe(socket);
      });
    });
    await using client = clientOf(server, { proxy: `http://127.0.0.1:${proxy.port}` });
    expect(await eight(client)).toEqual(Array(8).fill('accepted'));
  });

  it('and where there is room for none, each mail asks twice at most', async () => {
    const given = streams(1, 0);
    await using client = clientOf({ host: '127.0.0.1', port: 25 }, { socket: () => given.socket() });
    expect(await eight(client)).toEqual(Array(8).fill('E_CONNECT'));
    expect(given.opened).toBeLessThanOrEqual(16);
  });
});

it('a mail whose own connection could not be opened twice waits for one that another mail has', async () => {
  await using server = await startServer();
  // The third fails at first, and again in the place of the first.
  const ports = [server.port, server.port, 1, 1, server.port];
  let opened = 0;
  await using client = clientOf(server, { pool: { maxConnections: 3, maxMessages: 1 }, socket: () => connect(ports[opened++] ?? 1, server.host) });
  const waits = (count: number): Promise<unknown> => firstValueFrom(client.state$.pipe(filter(({ waiting }) => opened === count && waiting === 1)));
  const contents = [new Subject<string>(), new Subject<string>()];
  const ready = contents.map((raw) => new Promise((resolve) => { client.send({ ...MAIL, raw }).subscribe(resolve); }));
  const told = collect(client.send(MAIL));
  await Promise.all([...ready, waits(3)]);
  contents[0]?.complete();
  await Promise.race([told, waits(4)]);
  contents[1]?.complete();
  expect((await told).types.at(-1)).toBe('accepted');
});
