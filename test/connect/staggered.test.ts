import { concat, finalize, NEVER, of, Subject, Subscription, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { staggered, type RaceOptions } from '../../src/connect/staggered.js';
import { Capabilities } from '../../src/protocol/capabilities.js';
import type { ConnectionPlan } from '../../src/protocol/connection-plan.js';
import { SmtpConnectionError, SmtpFallbackError, SmtpReplyError, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import { startTlsMissing } from '../../src/session/starttls-missing.js';
import { inVirtualTime } from '../support/marbles.js';

const [FIRST, SECOND, THIRD, CLEAR]: readonly [ConnectionPlan, ConnectionPlan, ConnectionPlan, ConnectionPlan] = [
  { host: 'mail.example', port: 465, security: 'implicit' },
  { host: 'mail.example', port: 587, security: 'starttls' },
  { host: 'mail.example', port: 25, security: 'starttls' },
  { host: 'mail.example', port: 587, security: 'none' },
];
const ALL = [FIRST, SECOND, THIRD, CLEAR];
const refused = new SmtpConnectionError('E_CONNECT', { phase: 'connect', reason: 'ECONNREFUSED', message: 'refused' });
const untrusted = new SmtpConnectionError('E_CERTIFICATE', { phase: 'tls', reason: 'untrusted', message: 'untrusted' });
const busy = new SmtpReplyError({ phase: 'greeting', reply: makeReply(421, ['busy']), command: 'the connection', message: 'busy' });
const noStartTls = startTlsMissing('mail.example', Capabilities.none, []);

/** In the pictures: 0, 1, 2 a start; c, g and r what an attempt tells, of which g wins. */
const steps = {
  c: 'c', g: 'g', r: 'r',
  ...Object.fromEntries(ALL.map((plan, index) => [String(index), { type: 'attempt-started', plan, index }])),
};
const failed = (index: number, elapsed: number, error: SmtpError = refused) => ({ type: 'attempt-failed', plan: ALL[index], index, error, elapsed });
const options = (scheduler: RaceOptions<string>['scheduler']): RaceOptions<string> => ({ stagger: 3, scheduler, wins: (step) => step === 'g' });
const by = <T>(attempts: readonly T[]) => (plan: ConnectionPlan): T => attempts[ALL.indexOf(plan)]!;

describe('staggered', () => {
  it('starts one after the other; the first greeting wins, and the others are closed at once', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold(' -c----------g');
      const second = cold('   ---c-g---r-');
      const third = cold('       -----g');
      const race$ = staggered(ALL, by([first, second, third]), options(scheduler));
      expectObservable(race$, '              ^-------------!').toBe('0--1--2-(cg)r', steps);
      expectSubscriptions(first.subscriptions).toBe('^-------!');
      expectSubscriptions(second.subscriptions).toBe('---^----------!');
      expectSubscriptions(third.subscriptions).toBe('------^-!');
    });
  });

  it('starts nobody else where the first guess is right', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('-cg---r');
      const second = cold('g');
      expectObservable(staggered(ALL, by([first, second]), options(scheduler)), '^-------!').toBe('0-(cg)r', steps);
      expectSubscriptions(second.subscriptions).toBe([]);
    });
  });

  it('leaves no clock behind where one has won', () => {
    const clocks: Subscription[] = [];
    const schedule = (): Subscription => { clocks.push(new Subscription()); return clocks.at(-1)!; };
    const running = staggered([FIRST, SECOND], () => concat(of('g'), NEVER), { stagger: 3, scheduler: { now: () => 0, schedule }, wins: (step) => step === 'g' }).subscribe();
    expect(clocks.map(({ closed }) => closed)).toEqual([true]);
    running.unsubscribe();
  });

  it('tears down what has failed before it tells of that, and before it begins the next one', () => {
    const told: string[] = [];
    const first = new Subject<string>();
    const attempts = by([first.pipe(finalize(() => { told.push('torn down'); })), NEVER]);
    const running = staggered([FIRST, SECOND], attempts, { stagger: 3, scheduler: { now: () => 0, schedule: () => new Subscription() }, wins: (step) => step === 'g' })
      .subscribe((step) => { told.push(typeof step === 'string' ? step : step.type); });
    first.error(refused);
    expect(told).toEqual(['attempt-started', 'torn down', 'attempt-failed', 'attempt-started']);
    running.unsubscribe();
  });

  it('does not wait for the step when one has failed', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('-c#', undefined, refused);
      const second = cold('  -----g--r');
      expectObservable(staggered([FIRST, SECOND], by([first, second]), options(scheduler)), '^----------!').toBe('0-(cA1)g--r', { ...steps, A: failed(0, 2) });
      expectSubscriptions(first.subscriptions).toBe('^-!');
      expectSubscriptions(second.subscriptions).toBe('--^--------!');
    });
  });

  it('gives the one that follows a failure a whole step before the next', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('-c#', undefined, refused);
      const second = cold('  ----------g');
      const third = cold('        -g');
      expectObservable(staggered([FIRST, SECOND, THIRD], by([first, second, third]), { ...options(scheduler), stagger: 6 }), '^---------!').toBe('0-(cA1)-2g', { ...steps, A: failed(0, 2) });
      expectSubscriptions(third.subscriptions).toBe('--------^-!');
    });
  });

  it('starts the next one when one has failed, also while another is under way', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('-----------g');
      const second = cold('  -#', undefined, refused);
      const third = cold('    ----g');
      expectObservable(staggered([FIRST, SECOND, THIRD], by([first, second, third]), options(scheduler)), '^--------!').toBe('0--1(B2)g', { ...steps, B: failed(1, 1) });
      expectSubscriptions(third.subscriptions).toBe('----^----!');
    });
  });

  it('goes on in turn where the winner was the wrong door, with those that it had beaten too', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('------------g');
      const second = cold('  g----#', undefined, noStartTls);
      expectObservable(staggered(ALL, by([first, second]), options(scheduler)), '^--------------------!').toBe('0--(1g)-(B0)--------g', { ...steps, B: failed(1, 5, noStartTls) });
      expectSubscriptions(first.subscriptions).toBe(['^--!', '--------^------------!']);
    });
  });

  it('ends with what is no wrong door, and closes the others', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('------------g');
      const second = cold('  -#', undefined, untrusted);
      expectObservable(staggered(ALL, by([first, second]), options(scheduler))).toBe('0--1#', steps, untrusted);
      expectSubscriptions(first.subscriptions).toBe('^---!');
    });
  });

  describe('a greeting that refuses', () => {
    it('ends it where no candidate before is under way', () => {
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
        const first = cold('----c#', undefined, busy);
        const second = cold('  ----------g');
        expectObservable(staggered(ALL, by([first, second]), options(scheduler))).toBe('0--1-(c#)', steps, busy);
        expectSubscriptions(second.subscriptions).toBe('---^-!');
      });
    });

    it('says nothing where a candidate before opens, and those behind it are left out', () => {
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
        const first = cold('---------cg---r');
        const second = cold('  ----c#', undefined, busy);
        const third = cold('     ----------g');
        expectObservable(staggered(ALL, by([first, second, third]), options(scheduler)), '^--------------!').toBe('0--1--2---(cg)r', steps);
        expectSubscriptions(third.subscriptions).toBe('------^-!');
      });
    });

    it('ends it when those before have failed', () => {
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
        const first = cold('----------#', undefined, refused);
        const second = cold('  -c#', undefined, busy);
        const third = cold('g');
        expectObservable(staggered(ALL, by([first, second, third]), options(scheduler))).toBe('0--1------(Ac#)', { ...steps, A: failed(0, 10) }, busy);
        expectSubscriptions(third.subscriptions).toBe([]);
      });
    });

    it('is asked again where the one that opened was the wrong door', () => {
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
        const first = cold('-----------g--#', undefined, noStartTls);
        const second = cold('  -----c#', undefined, busy);
        expectObservable(staggered([FIRST, SECOND], by([first, second]), options(scheduler))).toBe('0--1-------g--(A1)-c#', { ...steps, A: failed(0, 14, noStartTls) }, busy);
        expectSubscriptions(second.subscriptions).toBe(['---^-----!', '--------------^-----!']);
      });
    });
  });

  it('needs one timeout and a step for each candidate when none opens', () => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      const candidates = [FIRST, SECOND, THIRD];
      const all = new SmtpFallbackError(candidates.map((plan) => ({ plan, error: refused, elapsed: 7 })));
      const blackHole = cold('-------#', undefined, refused);
      expectObservable(staggered(candidates, () => blackHole, options(scheduler))).toBe('0--1--2A--B--#', { ...steps, A: failed(0, 7), B: failed(1, 7) }, all);
    });
  });

  it('keeps clear text as the last resort out of the race', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [first, second, clear] = [cold('--------#', undefined, refused), cold('   ------#', undefined, refused), cold('-----g')];
      const race$ = staggered([FIRST, SECOND, CLEAR], by([first, second, first, clear]), options(scheduler));
      expectObservable(race$, '^---------------!').toBe('0--1----A(BX)-g', { ...steps, A: failed(0, 8), B: failed(1, 6), X: { type: 'attempt-started', plan: CLEAR, index: 2 } });
      expectSubscriptions(clear.subscriptions).toBe('---------^------!');
    });
  });

  it('starts one after the other at once where each fails as soon as it is asked', () => {
    inVirtualTime(({ expectObservable }, scheduler) => {
      const failures = [FIRST, SECOND].map((plan) => ({ plan, error: refused, elapsed: 0 }));
      expectObservable(staggered([FIRST, SECOND], () => throwError(() => refused), options(scheduler))).toBe('(0A1#)', { ...steps, A: failed(0, 0) }, new SmtpFallbackError(failures));
    });
  });

  it('is cancelled with all that runs', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [first, second, third] = [cold('----------g'), cold('----------g'), cold('g')];
      expectObservable(staggered(ALL, by([first, second, third]), options(scheduler)), '^----!').toBe('0--1', steps);
      expectSubscriptions(first.subscriptions).toBe('^----!');
      expectSubscriptions(second.subscriptions).toBe('---^-!');
      expectSubscriptions(third.subscriptions).toBe([]);
    });
  });
});
