import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { Ceiling } from '../../src/pool/ceiling.js';
import { SmtpConnectionError, SmtpFallbackError, SmtpReplyError, SmtpTimeoutError, withoutRetry, type ConnectionErrorCode, type Phase, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Limit } from '../../src/protocol/timeouts.js';

const reply = (phase: Phase, code: number, text = 'no'): SmtpError => new SmtpReplyError({ phase, command: '', message: 'no', reply: makeReply(code, [text]) });
const connection = (code: ConnectionErrorCode, phase: Phase, reason: string): SmtpError => new SmtpConnectionError(code, { phase, reason, message: '' });
const timeout = (limit: Limit, phase: Phase = 'connect'): SmtpError => new SmtpTimeoutError({ limit, phase, elapsed: 1, message: '' });
const doors = (...errors: readonly SmtpError[]): SmtpError => new SmtpFallbackError(errors.map((error) => ({ plan: { host: 'mail.example', port: 25, security: 'none' }, error, elapsed: 1 })));

const ceilingOf = (most: number) => {
  const scheduler = new TestScheduler(() => undefined);
  return { ceiling: new Ceiling(most, scheduler), scheduler };
};

it('however many connections are one too many, one may be open', () => {
  const { ceiling } = ceilingOf(2);
  const tooMany = reply('end-of-data', 432, '4.3.2 Concurrent connections limit exceeded');
  // The one that was too many before still holds mails that are on their way.
  for (let told = 0; told < 3; told += 1) expect(ceiling.refused(tooMany, 2)).toBe(true);
  expect(ceiling.most).toBe(1);
});

describe('another connection that could not be opened', () => {
  it.each<[string, SmtpError, 'is one too many' | 'may be' | 'is not']>([
    ['421 to the greeting', reply('greeting', 421), 'is one too many'],
    ['421 to EHLO', reply('hello', 421), 'is one too many'],
    ['454 to the sign-in', reply('auth', 454), 'is one too many'],
    ['421 to STARTTLS', reply('starttls', 421), 'is one too many'],
    ['454 to STARTTLS', reply('starttls', 454), 'is one too many'],
    ['454 to EHLO, for want of a certificate', withoutRetry(reply('hello', 454)), 'is not'],
    ['554 to the greeting', reply('greeting', 554), 'is not'],
    ['554 to the greeting, for their number', reply('greeting', 554, '5.7.0 Too many concurrent connections'), 'is one too many'],
    ['an end before the greeting', connection('E_CLOSED', 'greeting', 'closed'), 'is one too many'],
    ['an end before the turn to sign in', connection('E_CLOSED', 'idle', 'closed'), 'is one too many'],
    ['421 before it', reply('idle', 421), 'is one too many'],
    ['an end behind EHLO', connection('E_CLOSED', 'hello', 'closed'), 'may be'],
    ['an end behind STARTTLS', connection('E_CLOSED', 'starttls', 'ECONNRESET'), 'may be'],
    ['an end behind AUTH', connection('E_CLOSED', 'auth', 'closed'), 'may be'],
    ['451 to MAIL', reply('mail', 451), 'is not'],
    ['an end behind MAIL', connection('E_CLOSED', 'mail', 'closed'), 'is not'],
    ['an end in the place of the handshake', connection('E_TLS', 'tls', 'reset'), 'is one too many'],
    ['clear text in the place of the handshake', connection('E_TLS', 'tls', 'plaintext-peer'), 'is one too many'],
    ['no cipher in common', connection('E_TLS', 'tls', 'cipher'), 'is not'],
    ['a refused connection', connection('E_CONNECT', 'connect', 'ECONNREFUSED'), 'may be'],
    ['no answer in time', timeout('connect'), 'may be'],
    ['no greeting in time', timeout('greeting', 'greeting'), 'may be'],
    ['no time left for the mail', timeout('operation'), 'is not'],
    ['a client that closes', timeout('close'), 'is not'],
    ['a busy proxy', connection('E_PROXY', 'proxy', 'busy'), 'may be'],
    ['a proxy that lets nothing through', connection('E_PROXY', 'proxy', 'denied'), 'may be'],
    ['a proxy that does not reach the server', connection('E_PROXY', 'proxy', 'unreachable'), 'may be'],
    ['a proxy that nobody reaches', connection('E_PROXY', 'proxy', 'ECONNREFUSED'), 'may be'],
    ['a proxy whose name is not found', connection('E_PROXY', 'proxy', 'ENOTFOUND'), 'may be'],
    ['a proxy that hangs up in the place of the handshake', connection('E_PROXY', 'proxy', 'reset'), 'may be'],
    ['a proxy with a bad certificate', connection('E_PROXY', 'proxy', 'untrusted'), 'is not'],
    ['a proxy that speaks something else', connection('E_PROXY', 'proxy', 'protocol'), 'is not'],
    ['a proxy that wants credentials', connection('E_PROXY', 'proxy', 'authentication'), 'is not'],
    ['a resolver in trouble', connection('E_DNS', 'resolve', 'EAI_AGAIN'), 'may be'],
    ['a name that is found no more', connection('E_DNS', 'resolve', 'ENOTFOUND'), 'may be'],
    ['the first of several doors', doors(reply('greeting', 421), connection('E_CONNECT', 'connect', 'ECONNREFUSED')), 'is one too many'],
    ['another of several doors', doors(connection('E_TLS', 'tls', 'cipher'), reply('greeting', 421)), 'is not'],
  ])('%s', (_, error, how) => {
    for (const mayDo of [false, true]) {
      const { ceiling } = ceilingOf(5);
      const isReached = how === 'is one too many' || (how === 'may be' && mayDo);
      expect(ceiling.notOpened(error, 3, mayDo)).toBe(isReached);
      expect(ceiling.most).toBe(isReached ? 3 : 5);
      // Nobody got there: room was not what was missing.
      expect(ceiling.notOpened(error, 0, mayDo)).toBe(false);
      expect(ceiling.most).toBe(isReached && how === 'is one too many' ? 3 : 5);
    }
  });

  it('by the time that a sign-in took, goes with the others, which are not all: the caller may have a part in it', () => {
    const { ceiling } = ceilingOf(5);
    expect(ceiling.notOpened(timeout('command', 'auth'), 3, true)).toBe(true);
    expect(ceiling.most).toBe(5);
  });

  it('leaves room for as many as there were, for a minute, and never for more than the options allow', () => {
    const { ceiling, scheduler } = ceilingOf(5);
    ceiling.notOpened(reply('greeting', 421), 3, false);
    scheduler.frame = 59_999;
    expect(ceiling.most).toBe(3);
    scheduler.frame = 60_000;
    expect(ceiling.most).toBe(5);
    ceiling.notOpened(reply('greeting', 421), 8, false);
    expect(ceiling.most).toBe(5);
  });

  it('was about its address where the next one opens at another', () => {
    const { ceiling } = ceilingOf(5);
    const after = (address: string): number => {
      ceiling.opened(address);
      return ceiling.most;
    };
    ceiling.notOpened(reply('greeting', 421), 3, false, '192.0.2.1');
    expect([after('192.0.2.1'), after('192.0.2.2')]).toEqual([3, 5]);
    // Where both have none, it is the host.
    ceiling.notOpened(reply('greeting', 421), 2, false, '192.0.2.2');
    expect([after('192.0.2.1'), after('192.0.2.2'), after('192.0.2.3')]).toEqual([2, 2, 5]);
    // No address was reached, or a mail was refused for all of them.
    ceiling.notOpened(connection('E_CONNECT', 'connect', 'ECONNREFUSED'), 3, true);
    expect(after('192.0.2.3')).toBe(3);
    ceiling.refused(reply('end-of-data', 432, '4.3.2 Concurrent connections limit exceeded'), 3);
    expect(after('192.0.2.3')).toBe(2);
  });

  it('was about its address for a minute, like all else', () => {
    const { ceiling, scheduler } = ceilingOf(5);
    ceiling.notOpened(reply('greeting', 421), 3, false, '192.0.2.1');
    scheduler.frame = 60_000;
    ceiling.notOpened(reply('greeting', 421), 3, false, '192.0.2.2');
    expect(ceiling.most).toBe(3);
    ceiling.opened('192.0.2.1');
    expect(ceiling.most).toBe(5);
  });

  it('is told apart from a mail that was refused for the number of connections', () => {
    const { ceiling } = ceilingOf(5);
    const tooMany = reply('end-of-data', 432, '4.3.2 Concurrent connections limit exceeded');
    expect([ceiling.refused(tooMany, 1), ceiling.refused(reply('end-of-data', 451), 4), ceiling.refused(new Error('mine'), 4)]).toEqual([false, false, false]);
    expect(ceiling.most).toBe(5);
    expect(ceiling.refused(tooMany, 4)).toBe(true);
    expect(ceiling.most).toBe(3);
    // Those that are one too many close one after the other.
    expect(ceiling.refused(tooMany, 4)).toBe(true);
    expect(ceiling.most).toBe(2);
  });
});
