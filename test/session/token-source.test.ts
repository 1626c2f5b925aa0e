import { asyncScheduler, concat, defer, EMPTY, firstValueFrom, ignoreElements, map, of, throwError, timer, type Observable, type ObservableInput, type SchedulerLike } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { makeReply, type Reply } from '../../src/protocol/reply.js';
import { Secret } from '../../src/protocol/secret.js';
import { tokenSource, type TokenFunction, type TokenSource } from '../../src/session/token-source.js';
import { inVirtualTime } from '../support/marbles.js';

const NO = makeReply(535, ['5.7.8 no']);

/** A function of the caller's that takes three frames, and gives a, b, c ... in turn; `calls` tells what it was given. */
const slowly = (calls: (Reply | undefined)[]): TokenFunction => ({ rejected }) => {
  const token = String.fromCharCode(96 + calls.push(rejected));
  return timer(3).pipe(map(() => token));
};

const revealed = map((secret: Secret) => secret.reveal());

/** What a connection is given that is made as it asks. */
const asked = ({ token }: TokenSource, scheduler: SchedulerLike): Observable<string> => defer(() => token(scheduler.now(), scheduler)).pipe(revealed);

describe('tokenSource', () => {
  it('has one call in flight, however many ask', () => {
    inVirtualTime(({ cold, expectObservable, flush }, scheduler) => {
      const calls: (Reply | undefined)[] = [];
      const token = asked(tokenSource(slowly(calls)), scheduler);
      expectObservable(token).toBe('                                        ---(a|)');
      expectObservable(concat(cold('--|').pipe(ignoreElements()), token)).toBe('     ---(a|)');
      expectObservable(concat(cold('-----|').pipe(ignoreElements()), token)).toBe('     --------(b|)');
      flush();
      expect(calls).toEqual([undefined, undefined]);
    });
  });

  it('gives a connection what was asked for since it was made', () => {
    inVirtualTime(({ cold, expectObservable, flush }, scheduler) => {
      const calls: (Reply | undefined)[] = [];
      const { token } = tokenSource(slowly(calls));
      const made = (since: number): Observable<string> => token(since, scheduler).pipe(revealed);
      expectObservable(concat(cold('--|').pipe(ignoreElements()), made(0))).toBe('     -----(a|)');
      expectObservable(concat(cold('------|').pipe(ignoreElements()), made(1))).toBe('     ------(a|)');
      expectObservable(concat(cold('-------|').pipe(ignoreElements()), made(2))).toBe('     ----------(b|)');
      flush();
      expect(calls).toEqual([undefined, undefined]);
    });
  });

  it('gives it none that was there before, where a newer one was not to be had', () => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      let calls = 0;
      const token = asked(tokenSource(() => { calls += 1; return calls === 2 ? throwError(() => new Error('no network')) : of(String(calls)); }), scheduler);
      expectObservable(token).toBe('(1|)');
      expectObservable(concat(cold('--|').pipe(ignoreElements()), token)).toBe('--#', undefined, new Error('no network'));
      expectObservable(concat(cold('----|').pipe(ignoreElements()), token)).toBe('----(3|)');
    });
  });

  it('is cancelled when nobody waits any more, and not before', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const call = cold('-----a|');
      const token = asked(tokenSource(() => call), scheduler);
      expectObservable(token, '--!  ').toBe('---');
      expectObservable(token, '---! ').toBe('---');
      expectObservable(token, '-------^-----------!').toBe('------------(a|)');
      expectSubscriptions(call.subscriptions).toBe(['^--!', '-------^----!']);
    });
  });

  it('renews once for all that were refused', () => {
    inVirtualTime(({ cold, expectObservable, flush }, scheduler) => {
      const calls: (Reply | undefined)[] = [];
      const tokens = tokenSource(slowly(calls));
      const refused = new Secret('a');
      const again = defer(() => tokens.renew!(refused, NO)).pipe(revealed);
      expectObservable(asked(tokens, scheduler)).toBe('---(a|)');
      expectObservable(concat(cold('---- |').pipe(ignoreElements()), again)).toBe('-------(b|)');
      expectObservable(concat(cold('-----|').pipe(ignoreElements()), again)).toBe('-------(b|)');
      // Too late for the call, and there is another token already.
      expectObservable(concat(cold('---------|').pipe(ignoreElements()), again)).toBe('---------(b|)');
      flush();
      expect(calls).toEqual([undefined, NO]);
    });
  });

  it('does not take the refused token once more from a call that knew nothing', () => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      const tokens = tokenSource(({ rejected }) => timer(3).pipe(map(() => (rejected === undefined ? 'old' : 'new'))));
      expectObservable(asked(tokens, scheduler)).toBe('---(o|)', { o: 'old' });
      expectObservable(concat(cold('-|').pipe(ignoreElements()), defer(() => tokens.renew!(new Secret('old'), NO)).pipe(revealed))).toBe('------(n|)', { n: 'new' });
    });
  });

  it('begins anew after a failure', () => {
    inVirtualTime(({ expectObservable, cold }, scheduler) => {
      let calls = 0;
      const token = asked(tokenSource(() => { calls += 1; return calls === 1 ? throwError(() => new Error('no network')) : of('b'); }), scheduler);
      expectObservable(token).toBe('#', undefined, new Error('no network'));
      expectObservable(concat(cold('-|').pipe(ignoreElements()), token)).toBe('-(b|)');
    });
  });

  it('takes any ObservableInput', async () => {
    const first = (source: TokenSource): Promise<string> => firstValueFrom(asked(source, asyncScheduler));
    const inputs: readonly (() => ObservableInput<string>)[] = [() => of('t'), () => Promise.resolve('t'), () => ['t'], function* () { yield 't'; yield 'u'; }];
    for (const input of inputs) expect(await first(tokenSource(input))).toBe('t');
    await expect(first(tokenSource(() => EMPTY))).rejects.toThrow('without a token');
    await expect(first(tokenSource(() => { throw new Error('mine'); }))).rejects.toThrow('mine');
  });

  it('keeps the last four in mind, which a server may repeat', () => {
    let calls = 0;
    const tokens = tokenSource(() => of(String.fromCharCode(97 + calls++)));
    for (let times = 0; times < 6; times += 1) tokens.token(Infinity, asyncScheduler).subscribe();
    expect(tokens.known.map((secret) => secret.reveal()).join('')).toBe('cdef');
  });

  it.each(['', 'a b', 'a\r\n', 'a\x01auth=Bearer b', 'ä', 5, undefined, { token: 'a' }])('refuses %j for a token', (given) => {
    expect(() => tokenSource('')).toThrow(expect.objectContaining({ code: 'E_USAGE', phase: 'options' }) as Error);
    let error: unknown;
    asked(tokenSource(() => of(given as string)), asyncScheduler).subscribe({ error: (failure: unknown) => { error = failure; } });
    expect(error).toBeInstanceOf(SmtpUsageError);
  });

  it('has no other token where a string was given', () => {
    inVirtualTime(({ expectObservable }, scheduler) => {
      const tokens = tokenSource('t');
      expectObservable(asked(tokens, scheduler)).toBe('(t|)');
      expect(tokens.renew).toBeUndefined();
    });
  });
});
