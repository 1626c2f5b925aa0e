import { describe, expect, it } from 'vitest';
import { Memory } from '../../src/connect/memory.js';
import { plan } from '../../src/connect/plan.js';
import { Capabilities } from '../../src/protocol/capabilities.js';
import { SmtpAuthenticationError, SmtpConnectionError, SmtpReplyError, SmtpTimeoutError, type ConnectionErrorCode, type Phase, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import { startTlsMissing } from '../../src/session/starttls-missing.js';

const reply = (phase: Phase, code: number): SmtpError => new SmtpReplyError({ phase, command: '', message: 'no', reply: makeReply(code, ['no']) });
const connection = (code: ConnectionErrorCode, phase: Phase, reason: string): SmtpError => new SmtpConnectionError(code, { phase, reason, message: '' });
const silence = (phase: 'tls' | 'greeting' | 'hello' | 'starttls'): SmtpError => new SmtpTimeoutError({ limit: phase === 'tls' || phase === 'greeting' ? phase : 'command', phase, elapsed: 1, message: '' });

const doors = plan({ host: 'mail.example', port: 10025, modes: ['implicit', 'starttls'] });
const [door, other] = doors as [typeof doors[0], typeof doors[0]];

const inTheirTurn = (memory: Memory, now: number, at = door): string => ['a', 'b', 'c'].toSorted((one, two) => memory.rank(one, at, now) - memory.rank(two, at, now)).join('');

describe('an address that took a connection', () => {
  it.each([
    ['and greeted with 421', 'comes last', reply('greeting', 421)],
    ['and greeted with 554', 'comes last', reply('greeting', 554)],
    ['and did not greet', 'comes last', silence('greeting')],
    ['and ended it', 'comes last', connection('E_CLOSED', 'greeting', 'closed')],
    ['and answered EHLO with 421', 'comes last', reply('hello', 421)],
    ['and did not answer EHLO', 'comes last', silence('hello')],
    ['and answered STARTTLS with 454', 'comes last', reply('starttls', 454)],
    ['and ended it at STARTTLS', 'comes last', connection('E_CLOSED', 'starttls', 'closed')],
    ['and did not answer STARTTLS', 'comes last', silence('starttls')],
    ['and does not offer STARTTLS', 'is as good as before', startTlsMissing('mail.example', Capabilities.none, [])],
    ['and ended it in the place of a handshake', 'comes last', connection('E_TLS', 'tls', 'reset')],
    ['and refused it in clear text', 'comes last', connection('E_TLS', 'tls', 'plaintext-peer')],
    ['and was silent in the handshake', 'comes last', silence('tls')],
    ['whose caller had no more time', 'is as good as before', new SmtpTimeoutError({ limit: 'operation', phase: 'greeting', elapsed: 1, message: '' })],
    ['and has a bad certificate', 'is as good as before', connection('E_CERTIFICATE', 'tls', 'untrusted')],
    ['and has no version in common', 'is as good as before', connection('E_TLS', 'tls', 'protocol')],
    ['and refused the sign-in', 'is as good as before', new SmtpAuthenticationError({ phase: 'auth', offered: [], allowed: [], tried: [], reply: makeReply(454, ['no']), message: '' })],
  ])('%s: %s', (_, how, error) => {
    const memory = new Memory(true);
    memory.failedAt('a', door, error, 0);
    expect(inTheirTurn(memory, 1)).toBe(how === 'comes last' ? 'bca' : 'abc');
  });

  const failing = (...times: readonly (readonly [address: string, now: number])[]): Memory => {
    const memory = new Memory(true);
    for (const [address, now] of times) memory.failedAt(address, door, reply('greeting', 421), now);
    return memory;
  };

  it('comes last for a minute, and only at that door', () => {
    expect(inTheirTurn(failing(['a', 0]), 59_999)).toBe('bca');
    expect(inTheirTurn(failing(['a', 0]), 60_000)).toBe('abc');
    expect(inTheirTurn(failing(['a', 0], ['a', 50_000]), 60_000)).toBe('bca');
    expect(inTheirTurn(failing(['a', 0]), 1, other)).toBe('abc');
  });

  it('has its turn again when all have failed, the longest ago first', () => {
    expect(inTheirTurn(failing(['a', 0], ['b', 1]), 2)).toBe('cab');
    expect(inTheirTurn(failing(['a', 0], ['b', 1], ['c', 2]), 3)).toBe('abc');
    expect(inTheirTurn(failing(['a', 0], ['b', 1], ['c', 2], ['a', 3]), 4)).toBe('bca');
  });

  it('is forgotten where there are ever more of them', () => {
    const memory = failing(...Array.from({ length: 65 }, (_, index) => [String(index), 0] as const));
    expect(['0', '1', '64'].map((address) => memory.rank(address, door, 1))).toEqual([-1, 0, 63]);
  });
});

it('a sign-in that was refused is told in an error of their own to all that come later', () => {
  const memory = new Memory(true);
  const [no, denied] = [
    new SmtpAuthenticationError({ phase: 'auth', outcome: 'refused', offered: [], allowed: [], tried: ['PLAIN'], reply: makeReply(535, ['no']), message: 'No.' }),
    new SmtpConnectionError('E_PROXY', { phase: 'proxy', reason: 'authentication', message: 'No.' }),
  ];
  for (const error of [no, denied]) {
    memory.forgive();
    memory.failed(error, 0);
    for (const change of [error, memory.refusal(1)!]) Object.assign(change, { message: 'Order 1', outcome: 'accepted' });
    expect(memory.refusal(2)).toBeInstanceOf(error.constructor);
    expect(memory.refusal(2)).toMatchObject({ code: error.code, message: 'No. It was not asked again: a refusal holds for a minute, or until verify() is called.', outcome: error === no ? 'refused' : 'not-sent' });
  }
});
