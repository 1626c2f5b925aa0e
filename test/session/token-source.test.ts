import { concat, defer, EMPTY, ignoreElements, map, of, throwError, timer, type ObservableInput } from 'rxjs';
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

describe('tokenSource', () => {
  it('has one call in flight, however many ask', () => {
    inVirtualTime(({ cold, expectObservable, flush }) => {
      const calls: (Reply | undefined)[] = [];
      const { token } = tokenSource(slowly(calls));
      expectObservable(token.pipe(revealed)).toBe('                                        ---(a|)');
      expectObservable(concat(cold('--|').pipe(ignoreElements()), token.pipe(revealed))).toBe('     ---(a|)');
      expectObservable(concat(cold('-----|').pipe(ignoreElements()), token.pipe(revealed))).toBe('     --------(b|)');
      flush();
      expect(calls).toEqual([undefined, undefined]);
    });
  });

  it('is cancelled when nobody waits any more, and not before', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const call = cold('-----a|');
      const { token } = tokenSource(() => call);
      expectObservable(token.pipe(revealed), '--!  ').toBe('---');
      expectObservable(token.pipe(revealed), '---! ').toBe('---');
      expectObservable(token.pipe(revealed), '-------^-----------!').toBe('------------(a|)');
      expectSubscriptions(call.subscriptions).toBe(['^--!', '-------^----!']);
    });
  });

  it('renews once for all that were refused', () => {
    inVirtualTime(({ cold, expectObservable, flush }) => {
      const calls: (Reply | undefined)[] = [];
      const { token, renew } = tokenSource(slowly(calls));
      const refused = new Secret('a');
      const again = defer(() => renew!(refused, NO)).pipe(revealed);
      expectObservable(token.pipe(revealed)).toBe('---(a|)');
      expectObservable(concat(cold('---- |').pipe(ignoreElements()), again)).toBe('-------(b|)');
      expectObservable(concat(cold('-----|').pipe(ignoreElements()), again)).toBe('-------(b|)');
      // Too late for the call, and there is another token already.
      expectObservable(concat(cold('---------|').pipe(ignoreElements()), again)).toBe('---------(b|)');
      flush();
      expect(calls).toEqual([undefined, NO]);
    });
  });

  it('does not take the refused token once more from a call that knew nothing', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const { token, renew } = tokenSource(({ rejected }) => timer(3).pipe(map(() => (rejected === undefined ? 'old' : 'new'))));
      expectObservable(token.pipe(revealed)).toBe('---(o|)', { o: 'old' });
      expectObservable(concat(cold('-|').pipe(ignoreElements()), defer(() => renew!(new Secret('old'), NO)).pipe(revealed))).toBe('------(n|)', { n: 'new' });
    });
  });

  it('begins anew after a failure', () => {
    inVirtualTime(({ expectObservable, cold }) => {
      let calls = 0;
      const { token } = tokenSource(() => { calls += 1; return calls === 1 ? throwError(() => new Error('no network')) : of('b'); });
      expectObservable(token).toBe('#', undefined, new Error('no network'));
      expectObservable(concat(cold('-|').pipe(ignoreElements()), token.pipe(revealed))).toBe('-(b|)');
    });
  });

  it('takes any ObservableInput', async () => {
    const first = async ({ token }: TokenSource): Promise<string> => new Promise((resolve, reject) => { token.pipe(revealed).subscribe({ next: resolve, error: reject }); });
    const inputs: readonly (() => ObservableInput<string>)[] = [() => of('t'), () => Promise.resolve('t'), () => ['t'], function* () { yield 't'; yield 'u'; }];
    for (const input of inputs) expect(await first(tokenSource(input))).toBe('t');
    await expect(first(tokenSource(() => EMPTY))).rejects.toThrow('without a token');
    await expect(first(tokenSource(() => { throw new Error('mine'); }))).rejects.toThrow('mine');
  });

  it('keeps the last four in mind, which a server may repeat', () => {
    let calls = 0;
    const { token, known } = tokenSource(() => of(String.fromCharCode(97 + calls++)));
    for (let asked = 0; asked < 6; asked += 1) token.subscribe();
    expect(known.map((secret) => secret.reveal()).join('')).toBe('cdef');
  });

  it.each(['', 'a b', 'a\r\n', 'a\x01auth=Bearer b', 'ä', 5, undefined, { token: 'a' }])('refuses %j for a token', (given) => {
    expect(() => tokenSource('')).toThrow(expect.objectContaining({ code: 'E_USAGE', phase: 'options' }) as Error);
    let error: unknown;
    tokenSource(() => of(given as string)).token.subscribe({ error: (failure: unknown) => { error = failure; } });
    expect(error).toBeInstanceOf(SmtpUsageError);
  });

  it('has no other token where a string was given', () => {
    inVirtualTime(({ expectObservable }) => {
      const { token, renew } = tokenSource('t');
      expectObservable(token.pipe(revealed)).toBe('(t|)');
      expect(renew).toBeUndefined();
    });
  });
});
