import fc from 'fast-check';
import { map, NEVER, timer, type Observer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../src/pool/delivery.js';
import { Pool } from '../../src/pool/pool.js';
import { RateLimit } from '../../src/pool/rate-limit.js';
import type { SmtpEvent } from '../../src/protocol/event.js';
import { deadline } from '../../src/transport/clock.js';
import { FakeStream } from '../support/fake-stream.js';
import { sessionOn, wireOn } from '../support/fake-wire.js';

/** When the mails of a pool begin at their server: each connection takes so long to open, and each mail 1 ms. */
const beginnings = (mails: number, openings: readonly number[], rate: { readonly messages: number; readonly per: number }): readonly number[] => {
  const begun: number[] = [];
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(({ flush }) => {
    const delays = [...openings];
    const pool = new Pool({ maxConnections: openings.length, maxMessages: Infinity, maxAge: Infinity, idleTimeout: Infinity, rate }, scheduler);
    const job: Job = {
      operation: deadline(scheduler, 'operation', Infinity),
      open: () => timer(delays.shift() ?? 0).pipe(map(() => ({ type: 'session', session: sessionOn(wireOn(new FakeStream(NEVER), { scheduler })) }))),
      run: (claim, observer) => {
        begun.push(scheduler.now());
        return timer(1).subscribe(() => {
          claim.succeeded();
          observer.complete();
        });
      },
      goesOn: () => false,
      end: () => undefined,
      failure: (error) => error,
    };
    const observer: Observer<SmtpEvent> = { next: () => undefined, error: (error: unknown) => { throw error; }, complete: () => undefined };
    for (let mail = 0; mail < mails; mail += 1) pool.use(job, observer, pool.enter());
    flush();
  });
  return begun;
};

describe('the rate of a pool', () => {
  it.each([
    ['one after the other', [5], { messages: 1, per: 50 }, [5, 55, 105, 155, 205, 255]],
    ['no more than fit, over two connections', [5, 5], { messages: 2, per: 50 }, [5, 5, 55, 55, 105, 105]],
    ['not all at once, when connections take their time to open', [150, 100, 50], { messages: 1, per: 50 }, [150, 200, 250, 300, 350, 400]],
    ['not too many, when some take longer than others', [120, 20, 20], { messages: 2, per: 100 }, [20, 21, 120, 121, 220, 221]],
  ])('lets mails through %s', (_, openings, rate, expected) => {
    expect(beginnings(6, openings, rate)).toEqual(expected);
  });

  it('holds in every window, whatever connections do, and loses no mail', () => {
    fc.assert(fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 100 }), (openings, messages, per) => {
      const begun = beginnings(12, openings, { messages, per });
      expect(begun).toHaveLength(12);
      for (const [index, at] of begun.slice(messages).entries()) expect(at - begun[index]!).toBeGreaterThanOrEqual(per);
    }), { numRuns: 60 });
  });

  it('counts those that are ahead', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(40), { maxLength: 12 }), fc.nat(4), (messages, gaps, ahead) => {
      const limit = new RateLimit({ messages, per: 100 });
      let now = 0;
      const start = (): void => { limit.started(now += Math.max(limit.wait(now), 0)); };
      for (const gap of gaps) { now += gap; start(); }
      fc.pre(ahead < messages);
      const wait = Math.max(limit.wait(now, ahead), 0);
      const begin = now;
      for (let count = 0; count <= ahead; count += 1) start();
      expect(wait).toBe(now - begin);
    }));
  });
});
