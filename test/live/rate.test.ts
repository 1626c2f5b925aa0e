import { filter, firstValueFrom, lastValueFrom, Subject, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpClient, type PoolState } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';

describe('the rate', () => {
  it('forgets the rate when the composed mails that waited for it are cancelled', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { pool: { maxConnections: 1, rate: { messages: 1, per: 60_000 } } });
    const states: PoolState[] = [];
    client.state$.subscribe((state) => { states.push(state); });
    const composed = { from: 'ann@example.com', to: 'bob@example.org', text: 'Hi' };
    await lastValueFrom(client.send(composed));
    const waiting = [1, 2].map(() => client.send(composed).subscribe());
    await firstValueFrom(client.state$.pipe(filter((state) => state.waiting === 2)));
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    waiting.forEach((mail) => { mail.unsubscribe(); });
    expect(states.at(-1)).toMatchObject({ waiting: 0, inFlight: 0 });
    expect(timers()).toBe(before - 1);
  });

  it('opens connections for as many mails as the rate lets through, and for no more', async () => {
    await using server = await startServer({ faults: [{ at: 'end-of-data', do: 'silence' }] });
    await using client = clientOf(server, { pool: { maxConnections: 3, rate: { messages: 2, per: 60_000 } }, pipelining: false, timeouts: { close: 50, quit: 50 } });
    const hasLeft = firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content'))));
    const first = client.send(MAIL).subscribe();
    await hasLeft;
    const second = collect(client.send(MAIL));
    const third = client.send(MAIL).subscribe();
    expect((await second).error).toBeUndefined();
    expect(server.sessions).toHaveLength(2);
    for (const sending of [first, third]) sending.unsubscribe();
  });

  it('may be over a time that is longer than a timer can be', async () => {
    await using server = await startServer();
    const client = clientOf(server, { pool: { rate: { messages: 1, per: 30 * 24 * 3_600_000 } }, timeouts: { close: 50 } });
    const warnings: string[] = [];
    const warn = ({ name }: Error): void => { warnings.push(name); };
    process.on('warning', warn);
    await collect(client.send(MAIL));
    const waiting = collect(client.send(MAIL));
    await client.close();
    expect((await waiting).error).toMatchObject({ limit: 'close', outcome: 'not-sent' });
    await lastValueFrom(timer(1));
    process.off('warning', warn);
    expect(warnings).not.toContain('TimeoutOverflowWarning');
  });

  it('gives the turn of a cancelled mail to the one behind it', async () => {
    const asked = new Subject<string>();
    const client = new SmtpClient({ host: 'mail.example.com', security: 'none', pool: { rate: { messages: 1, per: 3_600_000 } }, lookup: (host) => { asked.next(host); } });
    const first = client.send(MAIL).subscribe();
    const second = client.send(MAIL).subscribe();
    const again = firstValueFrom(asked);
    first.unsubscribe();
    expect(await again).toBe('mail.example.com');
    second.unsubscribe();
  });
});
