import { take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { candidatesOf, inTurn } from '../../src/connect/in-turn.js';
import type { ConnectionPlan } from '../../src/protocol/connection-plan.js';
import { SmtpConnectionError, SmtpFallbackError } from '../../src/protocol/error.js';
import { inVirtualTime } from '../support/marbles.js';

const IMPLICIT: ConnectionPlan = { host: 'mail.example', port: 465, security: 'implicit' };
const STARTTLS: ConnectionPlan = { host: 'mail.example', port: 587, security: 'starttls' };
const BOTH = candidatesOf([IMPLICIT, STARTTLS]);
const refused = new SmtpConnectionError('E_CONNECT', { phase: 'connect', reason: 'ECONNREFUSED', message: 'refused' });
const untrusted = new SmtpConnectionError('E_CERTIFICATE', { phase: 'tls', reason: 'untrusted', message: 'untrusted' });

const started = (plan: ConnectionPlan, index: number) => ({ type: 'attempt-started', plan, index });
const failed = (plan: ConnectionPlan, index: number, elapsed: number) => ({ type: 'attempt-failed', plan, index, error: refused, elapsed });

describe('inTurn', () => {
  it('goes from candidate to candidate, each only after the one before was torn down', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('---#', {}, refused);
      const second = cold('-----r---');
      const told = inTurn(BOTH, (plan) => (plan === IMPLICIT ? first : second), scheduler);
      expectObservable(told, '^--------!').toBe('a--(bc)-r', { a: started(IMPLICIT, 0), b: failed(IMPLICIT, 0, 3), c: started(STARTTLS, 1), r: 'r' });
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('---^-----!');
    });
  });

  it('ends at once with what is no wrong door', () => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      const told = inTurn(BOTH, () => cold('--#', {}, untrusted), scheduler);
      expectObservable(told).toBe('a-#', { a: started(IMPLICIT, 0) }, untrusted);
    });
  });

  it('begins no attempt where whoever is told of it has heard enough', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const second = cold('-r');
      const told = inTurn(BOTH, (plan) => (plan === IMPLICIT ? cold('--#', {}, refused) : second), scheduler);
      expectObservable(told.pipe(take(3))).toBe('a-(bc|)', { a: started(IMPLICIT, 0), b: failed(IMPLICIT, 0, 2), c: started(STARTTLS, 1) });
      expectSubscriptions(second.subscriptions).toBe([]);
    });
  });

  it('names every candidate when none opened', () => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      const told = inTurn(BOTH, () => cold('-----#', {}, refused), scheduler);
      const error = new SmtpFallbackError([{ plan: IMPLICIT, error: refused, elapsed: 5 }, { plan: STARTTLS, error: refused, elapsed: 5 }]);
      expectObservable(told).toBe('a----(bc)-#', { a: started(IMPLICIT, 0), b: failed(IMPLICIT, 0, 5), c: started(STARTTLS, 1) }, error);
      expect(error.message).toMatch(/mail\.example:465 \(implicit TLS\).*mail\.example:587 \(STARTTLS\).*"port" and "security"/);
    });
  });

  it('gives the error as it is where there was one candidate only', () => {
    inVirtualTime(({ cold, expectObservable }, scheduler) => {
      expectObservable(inTurn(candidatesOf([STARTTLS]), () => cold('-#', {}, refused), scheduler)).toBe('a#', { a: started(STARTTLS, 0) }, refused);
    });
  });
});
