import { describe, expect, it } from 'vitest';
import type { Answering } from '../support/answering.js';
import { clientIn, mailsOn } from '../support/client-in-virtual-time.js';
import type { FakeStream } from '../support/fake-stream.js';
import { inVirtualTime } from '../support/marbles.js';
import { WAYS } from '../support/ways.js';

const contentsOn = ({ written }: FakeStream): number => written.join('').match(/^Subject/gm)?.length ?? 0;
const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

it.each([['idleTimeout', { idleTimeout: 5_000 }], ['maxAge', { maxAge: 5_000 }]])('a connection past its %s takes no mail, also where a timer of the application rings first', (_, pool) => {
  inVirtualTime(({ flush }, scheduler) => {
    const { send, streams, ends } = clientIn(scheduler, { pool, without: ['PIPELINING', 'CHUNKING'] });
    // As after a pause of the process: all timers are due, and this one is the eldest. The first mail takes four replies of 1 ms each.
    for (const at of [0, 5_000 + ('idleTimeout' in pool ? 4 : 0)]) scheduler.schedule(send, at);
    flush();
    expect(ends).toHaveLength(2);
    expect(streams.map(mailsOn)).toEqual([1, 1]);
  });
});

describe('a mail whose connection is not greeted in time', () => {
  const NEVER = 30_000;

  it.each<[title: string, opening: readonly number[], sendsAt: readonly number[], ends: readonly number[], mails: readonly number[]]>([
    ['goes with one that is idle', [0, NEVER], [0, 0], [4, 1_004], [2, 0]],
    ['goes with one that becomes idle later', [2_000, NEVER], [0, 0], [2_004, 2_008], [2, 0]],
    ['goes with one that others use as well', [0, NEVER], [0, 0, 500, 900, 1_300, 1_700], [4, 504, 904, 1_004, 1_304, 1_704], [6, 0]],
    ['goes after one that waits as well, and for longer', [0, NEVER, NEVER], [0, 0, 0], [4, 1_004, 1_008], [3, 0, 0]],
    ['goes with one that is idle, and another mail that waits with another', [0, 0, NEVER, NEVER], [0, 0, 0, 0], [4, 4, 1_004, 1_004], [2, 2, 0, 0]],
    ['goes with it, and so do the next at once', [0, NEVER], [0, 0, 2_000, 2_000], [4, 1_004, 2_004, 2_008], [4, 0]],
    ['has its time where nothing is idle', [NEVER, NEVER], [0, 0], [NEVER + 4, NEVER + 4], [1, 1]],
    ['keeps it where that comes first', [0, 900], [0, 0], [4, 904], [1, 1]],
  ])('%s', (_, opening, sendsAt, expected, mails) => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { opening, without: ['PIPELINING', 'CHUNKING'], pool: { idleTimeout: 10_000 } });
      for (const at of sendsAt) scheduler.schedule(send, at);
      flush();
      expect(ends).toEqual(expected);
      expect(streams.map(mailsOn)).toEqual(mails);
    });
  });

  it('goes with one that is idle also where another one that waits is cancelled', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { opening: [0, NEVER, NEVER], without: ['PIPELINING', 'CHUNKING'] });
      scheduler.schedule(() => { send(); send(); const third = send(); scheduler.schedule(() => { third.unsubscribe(); }, 10); });
      flush();
      expect(ends).toEqual([4, 1_004]);
      expect(streams.map(mailsOn)).toEqual([2, 0, 0]);
    });
  });

  it('is not waited for when it is cancelled and nothing is open any more', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, ends } = clientIn(scheduler, { opening: [0, NEVER], pool: { idleTimeout: 100 }, timeouts: { command: 100, endOfData: 100 } });
      scheduler.schedule(() => { send(); const waiting = send(); scheduler.schedule(() => { waiting.unsubscribe(); }, 10); });
      flush();
      expect(ends).toHaveLength(1);
      // No timer was left.
      expect(scheduler.now()).toBeLessThan(1_000);
    });
  });
});

it('however many mails go beside one that waits, nothing is kept of them', () => {
  const pending = [5, 50].map((mails) => {
    let kept = 0;
    inVirtualTime(({ flush }, scheduler) => {
      const { send, ends } = clientIn(scheduler, { opening: [0, 30_000], without: ['PIPELINING', 'CHUNKING'], pool: { idleTimeout: 10_000 } });
      for (let mail = 0; mail <= mails; mail += 1) scheduler.schedule(send, mail === 0 ? 0 : 10 * (mail - 1));
      scheduler.schedule(() => { kept = scheduler.actions.length; }, 900);
      flush();
      expect(ends).toHaveLength(mails + 1);
    });
    return kept;
  });
  expect(pending[0]).toBe(pending[1]);
});

it('a mail whose connection was greeted waits for it, however long the sign-in takes: the next mails will need it', () => {
  inVirtualTime(({ flush }, scheduler) => {
    const { send, streams, ends } = clientIn(scheduler, { opening: [0, 5_000], greets: true, without: ['PIPELINING', 'CHUNKING'], pool: { idleTimeout: 10_000 } });
    for (const at of [0, 0]) scheduler.schedule(send, at);
    flush();
    expect(ends).toEqual([4, 5_004]);
    expect(streams.map(mailsOn)).toEqual([1, 1]);
  });
});

describe('a connection that is gone without a trace', () => {
  for (const [way, without] of Object.entries(WAYS)) {
    it.each([['alone', 1], ['as all others are', 5]])(`costs a mail 20 seconds, ${way}, %s`, (_, count) => {
      inVirtualTime(({ flush }, scheduler) => {
        const { send, streams, ends } = clientIn(scheduler, { without });
        const gone: Answering[] = [];
        for (let mail = 0; mail < count; mail += 1) send();
        scheduler.schedule(() => {
          for (const stream of streams) stream.isThere = false;
          gone.push(...streams);
          send();
        }, 5_000);
        flush();
        // Those that are left without an answer to QUIT may cost two more.
        expect([ends.length, Math.floor((Number(ends.at(-1)) - 25_000) / 2_100)]).toEqual([count + 1, 0]);
        expect(streams).toHaveLength(gone.length + 1);
        expect(sum(streams.map(mailsOn))).toBe(count + 2);
        // Nothing but the envelope has left for nowhere.
        expect([sum(gone.map(contentsOn)), contentsOn(streams.at(-1)!)]).toEqual([count, 1]);
      });
    });

    it.each([
      ['no more than its limit for commands where that is shorter', { without, timeouts: { command: 500 } }, 5_500],
      ['as much also where that is longer', { without, timeouts: { command: Infinity } }, 25_000],
    ])(`costs a mail %s, ${way}`, (_, surroundings, end) => {
      inVirtualTime(({ flush }, scheduler) => {
        const { send, streams, ends } = clientIn(scheduler, surroundings);
        send();
        scheduler.schedule(() => {
          for (const stream of streams) stream.isThere = false;
          send();
        }, 5_000);
        flush();
        expect(Math.floor((Number(ends.at(-1)) - end) / 10)).toBe(0);
      });
    });

    it(`is one that is slow, as far as is known: the mail has all its time on a new one, and comes once, ${way}`, () => {
      inVirtualTime(({ flush }, scheduler) => {
        const { send, streams, ends } = clientIn(scheduler, { without, slowness: 30_000, pool: { idleTimeout: Infinity } });
        send();
        scheduler.schedule(send, 200_000);
        flush();
        expect(ends.map((end) => typeof end)).toEqual(['number', 'number']);
        expect(streams.map(mailsOn)).toEqual([1 + 1, 1]);
        expect(streams.map(contentsOn)).toEqual([1, 1]);
      });
    });
  }

  it('is none that answers: once it has, a slow server has its time', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { without: ['PIPELINING', 'CHUNKING'] });
      send();
      scheduler.schedule(() => {
        send();
        streams[0]!.slowness = 60_000;
      }, 5_000);
      flush();
      expect(ends).toEqual([4, 5_001 + 3 * 60_000]);
    });
  });

  it('is none that owes another mail its replies: that one has its time', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { pool: { maxConnections: 1 } });
      send();
      scheduler.schedule(() => {
        send();
        streams[0]!.slowness = 60_000;
      }, 5_000);
      scheduler.schedule(send, 10_000);
      flush();
      expect(ends).toEqual([1, 65_001, 70_000]);
    });
  });

  it('is no new one: a slow server has its time', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { slowness: 200_000, opening: [5_000] });
      send();
      flush();
      expect(ends).toEqual([405_000]);
      expect(streams.map(mailsOn)).toEqual([1]);
    });
  });

  it('is none that answers the first command: a later one without an answer says nothing of the others', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { without: ['PIPELINING', 'CHUNKING'], timeouts: { command: 1_000 } });
      send();
      send();
      scheduler.schedule(send, 5_000);
      scheduler.schedule(() => { streams[0]!.isThere = false; }, 5_001);
      scheduler.schedule(send, 10_000);
      flush();
      expect(ends).toEqual([4, 4, expect.stringContaining('RCPT'), 10_004]);
      expect(streams.map(mailsOn)).toEqual([2, 2]);
    });
  });

  it('says nothing of those that were heard meanwhile', () => {
    inVirtualTime(({ flush }, scheduler) => {
      const { send, streams, ends } = clientIn(scheduler, { without: ['PIPELINING', 'CHUNKING'] });
      send();
      send();
      scheduler.schedule(() => {
        streams[0]!.isThere = false;
        send();
      }, 5_000);
      scheduler.schedule(send, 10_000);
      flush();
      expect(ends).toHaveLength(4);
      expect(streams.map(mailsOn)).toEqual([2, 3]);
    });
  });
});

it('a connection that the server ends while it is idle leaves no timer behind', () => {
  inVirtualTime(({ flush }, scheduler) => {
    const { send, streams, ends } = clientIn(scheduler, { without: ['PIPELINING', 'CHUNKING'] });
    scheduler.schedule(send);
    scheduler.schedule(() => { streams[0]?.hangUp(); }, 10);
    flush();
    expect(ends).toEqual([4]);
    expect(scheduler.now()).toBe(10);
  });
});

it('a mail that is cancelled when its worn connection is left opens none of its own', () => {
  inVirtualTime(({ flush }, scheduler) => {
    const { pool, send, streams, ends } = clientIn(scheduler, { pool: { idleTimeout: 5_000, rate: { messages: 1, per: 5_004 } }, without: ['PIPELINING', 'CHUNKING'] });
    scheduler.schedule(() => {
      send();
      // Waits for the rate, whose timer rings just before the one of the connection.
      const waiting = send();
      scheduler.schedule(() => { pool.state$.subscribe(({ idle }) => { if (idle === 0) waiting.unsubscribe(); }); }, 1_000);
    });
    flush();
    expect(ends).toEqual([4]);
    expect(streams).toHaveLength(1);
  });
});
