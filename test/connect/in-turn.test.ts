import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { inTurn } from '../../src/connect/in-turn.js';
import { mayFallBack } from '../../src/connect/may-fall-back.js';
import type { ConnectionPlan, SecurityMode } from '../../src/protocol/connection-plan.js';
import { SmtpAuthenticationError, SmtpConnectionError, SmtpFallbackError, SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';

const IMPLICIT: ConnectionPlan = { host: 'mail.example', port: 465, security: 'implicit' };
const STARTTLS: ConnectionPlan = { host: 'mail.example', port: 587, security: 'starttls' };
const refused = new SmtpConnectionError('E_CONNECT', { phase: 'connect', reason: 'ECONNREFUSED', message: 'refused' });
const untrusted = new SmtpConnectionError('E_CERTIFICATE', { phase: 'tls', reason: 'untrusted', message: 'untrusted' });

const started = (plan: ConnectionPlan, index: number) => ({ type: 'attempt-started', plan, index });
const failed = (plan: ConnectionPlan, index: number, elapsed: number) => ({ type: 'attempt-failed', plan, index, error: refused, elapsed });

const run = (picture: (helpers: RunHelpers, scheduler: TestScheduler) => void): void => {
  const scheduler = new TestScheduler((actual, expected) => { expect(actual).toEqual(expected); });
  scheduler.run((helpers) => { picture(helpers, scheduler); });
};

describe('inTurn', () => {
  it('goes from candidate to candidate, each only after the one before was torn down', () => {
    run(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('---#', {}, refused);
      const second = cold('-----r---');
      const told = inTurn([IMPLICIT, STARTTLS], (plan) => (plan === IMPLICIT ? first : second), scheduler);
      expectObservable(told, '^--------!').toBe('a--(bc)-r', { a: started(IMPLICIT, 0), b: failed(IMPLICIT, 0, 3), c: started(STARTTLS, 1), r: 'r' });
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('---^-----!');
    });
  });

  it('ends at once with what is no wrong door', () => {
    run(({ cold, expectObservable }, scheduler) => {
      const told = inTurn([IMPLICIT, STARTTLS], () => cold('--#', {}, untrusted), scheduler);
      expectObservable(told).toBe('a-#', { a: started(IMPLICIT, 0) }, untrusted);
    });
  });

  it('names every candidate when none opened', () => {
    run(({ cold, expectObservable }, scheduler) => {
      const told = inTurn([IMPLICIT, STARTTLS], () => cold('-----#', {}, refused), scheduler);
      const error = new SmtpFallbackError([{ plan: IMPLICIT, error: refused, elapsed: 5 }, { plan: STARTTLS, error: refused, elapsed: 5 }]);
      expectObservable(told).toBe('a----(bc)-#', { a: started(IMPLICIT, 0), b: failed(IMPLICIT, 0, 5), c: started(STARTTLS, 1) }, error);
      expect(error.message).toMatch(/mail\.example:465 \(implicit TLS\).*mail\.example:587 \(STARTTLS\).*"port" and "security"/);
    });
  });

  it('gives the error as it is where there was one candidate only', () => {
    run(({ cold, expectObservable }, scheduler) => {
      expectObservable(inTurn([STARTTLS], () => cold('-#', {}, refused), scheduler)).toBe('a#', { a: started(STARTTLS, 0) }, refused);
    });
  });
});

describe('mayFallBack', () => {
  const tls = (reason: string): SmtpError => new SmtpConnectionError('E_TLS', { phase: 'tls', reason, message: '' });
  const proxy = (reason: string): SmtpError => new SmtpConnectionError('E_PROXY', { phase: 'proxy', reason, message: '' });
  const timeout = (phase: SmtpError['phase'], limit: 'greeting' | 'tls' | 'operation' | 'command' | 'connect' | 'proxy'): SmtpError => new SmtpTimeoutError({ limit, phase, elapsed: 1, message: '' });
  const table: readonly (readonly [title: string, error: SmtpError, security: SecurityMode, expected: boolean])[] = [
    ['refused', refused, 'implicit', true],
    ['no plaintext greeting', timeout('greeting', 'greeting'), 'starttls', true],
    ['no connection', timeout('connect', 'connect'), 'implicit', true],
    ['no handshake in the greeting time', timeout('tls', 'greeting'), 'implicit', true],
    ['clear text where TLS was expected', tls('plaintext-peer'), 'implicit', true],
    ['clear text after STARTTLS', tls('plaintext-peer'), 'starttls', false],
    ['a silent handshake after STARTTLS', timeout('tls', 'tls'), 'starttls', false],
    ['no common version', tls('version'), 'implicit', false],
    ['a bad certificate', untrusted, 'implicit', false],
    ['STARTTLS missing', new SmtpProtocolError('E_PROTOCOL', { phase: 'starttls', message: '' }), 'starttls', true],
    ['STARTTLS refused', new SmtpReplyError({ phase: 'starttls', reply: makeReply(454, ['no']), command: 'STARTTLS', message: '' }), 'starttls', false],
    ['injected bytes', new SmtpProtocolError('E_INJECTION', { phase: 'starttls', message: '' }), 'starttls', false],
    ['wrong credentials', new SmtpAuthenticationError({ phase: 'auth', offered: [], allowed: [], tried: [], message: '' }), 'starttls', false],
    ['no SMTP greeting', new SmtpProtocolError('E_PROTOCOL', { phase: 'greeting', message: '' }), 'starttls', true],
    ['a refusing greeting', new SmtpReplyError({ phase: 'greeting', reply: makeReply(554, ['no']), command: 'the connection', message: '' }), 'none', false],
    ['the operation is over', timeout('greeting', 'operation'), 'implicit', false],
    ['a proxy that cannot reach this door', proxy('unreachable'), 'implicit', true],
    ['a proxy that forbids this door', proxy('denied'), 'implicit', true],
    ['a proxy that hangs up', proxy('closed'), 'implicit', true],
    ['a proxy that does not come through', timeout('proxy', 'proxy'), 'implicit', true],
    ['a proxy that refuses the credentials', proxy('authentication'), 'implicit', false],
    ['a proxy that is down', proxy('ECONNREFUSED'), 'implicit', false],
    ['a proxy with a bad certificate', proxy('untrusted'), 'implicit', false],
    ['a proxy that is none', proxy('protocol'), 'implicit', false],
    ['a proxy that does not answer the call', timeout('proxy', 'connect'), 'implicit', false],
    ['no such host', new SmtpConnectionError('E_DNS', { phase: 'resolve', reason: 'ENOTFOUND', message: '' }), 'implicit', false],
  ];
  for (const [title, error, security, expected] of table) it(`${expected ? 'goes on' : 'ends'}: ${title}`, () => { expect(mayFallBack(error, security)).toBe(expected); });
});
