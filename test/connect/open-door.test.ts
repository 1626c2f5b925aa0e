import { tap } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Open } from '../../src/connect/doors.js';
import { Memory } from '../../src/connect/memory.js';
import { openDoor } from '../../src/connect/open-door.js';
import { plan, type PlanInput } from '../../src/connect/plan.js';
import { Capabilities } from '../../src/protocol/capabilities.js';
import type { ConnectionPlan } from '../../src/protocol/connection-plan.js';
import { SmtpAuthenticationError, SmtpConnectionError, SmtpFallbackError, SmtpReplyError, SmtpTimeoutError, type SmtpError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Opening } from '../../src/session/open-session.js';
import { startTlsMissing } from '../../src/session/starttls-missing.js';
import type { State } from '../../src/session/state.js';
import type { ByteStream } from '../../src/transport/byte-stream.js';
import type { Wire } from '../../src/wire/wire.js';
import { inVirtualTime } from '../support/marbles.js';

const noConnection = new SmtpTimeoutError({ phase: 'connect', limit: 'connect', elapsed: 10, message: 'no connection' });
const noGreeting = new SmtpTimeoutError({ phase: 'greeting', limit: 'greeting', elapsed: 10, message: 'no greeting' });
const noStartTls = startTlsMissing('mail.example', Capabilities.none, []);
const hungUp = new SmtpConnectionError('E_TLS', { phase: 'tls', reason: 'reset', message: 'hung up' });
const closed = new SmtpConnectionError('E_CLOSED', { phase: 'greeting', reason: 'closed', message: 'closed' });
const hungUpAfterStartTls = new SmtpConnectionError('E_TLS', { phase: 'tls', reason: 'reset', message: 'hung up behind STARTTLS' });

const refusedTls = new SmtpReplyError({ phase: 'starttls', reply: makeReply(454, ['not now']), command: 'STARTTLS', message: 'not now' });
const refused = new SmtpConnectionError('E_CONNECT', { phase: 'connect', reason: 'ECONNREFUSED', message: 'refused' });

const STEPS = {
  g: { type: 'greeted', reply: makeReply(220, ['hello']) },
  i: { type: 'introduced', capabilities: Capabilities.none },
  t: { type: 'introduced', capabilities: Capabilities.fromEhlo(makeReply(250, ['mail.example', 'STARTTLS'])) },
  x: { type: 'session' },
  s: { type: 'secured' },
} as unknown as Readonly<Record<string, Opening>>;

const AT_ADDRESS = { remote: { address: '192.0.2.1', port: 587 }, via: undefined } as ByteStream;

interface Run {
  readonly modes: PlanInput['modes'];
  readonly port?: number;
  readonly stagger?: number;
  readonly memory?: Memory;
}

/** Plays a run in virtual time: the connections that were made, and each failure with its frame; `wire` is what a failure leaves behind. */
const play = ({ modes, port, stagger, memory = new Memory(false) }: Run, marbles: (plan: ConnectionPlan) => readonly [string, SmtpError?, (Partial<Wire> & { readonly isResumed?: boolean })?]) => {
  const asked: string[] = [];
  const failures: string[] = [];
  let error: unknown;
  inVirtualTime(({ cold }, scheduler) => {
    const open: Open = (candidate, handOver) => {
      asked.push(`${String(candidate.port)} ${candidate.security}`);
      const [picture, failure, wire] = marbles(candidate);
      return cold(picture, STEPS, failure).pipe(tap({ error: (reason: unknown) => { if (wire !== undefined) handOver({ plan: candidate, stage: 'connected', events: wire.isResumed === true ? [] : [STEPS.g], wire: Object.assign({ context: { scheduler }, stream: AT_ADDRESS }, wire) as Partial<Wire> } as unknown as State, reason); } }));
    };
    openDoor(plan({ host: 'mail.example', port, modes }), { memory, open, leave: () => undefined, scheduler, stagger }).subscribe({
      next: (event) => { if (event.type === 'attempt-failed') failures.push(`${String(event.plan.port)} ${event.plan.security} at ${String(scheduler.now())}`); },
      error: (reason: unknown) => { error = reason; failures.push(`end at ${String(scheduler.now())}`); },
    });
  });
  return { asked: asked.join(', '), failures: failures.join(', '), error, memory };
};

describe('black holes', () => {
  it('cost a timeout each, one after the other; clear text costs nothing more', () => {
    const { asked, failures, error } = play({ modes: 'auto' }, () => ['----------#', noConnection]);
    expect(asked).toBe('465 implicit, 587 starttls, 25 starttls');
    expect(failures).toBe('465 implicit at 10, 587 starttls at 20, 25 starttls at 30, 587 none at 30, end at 30');
    expect((error as SmtpFallbackError).attempts.map(({ elapsed }) => elapsed)).toEqual([10, 10, 10, 0, 0]);
  });

  it('cost one timeout and a step each, staggered', () => {
    const { asked, failures } = play({ modes: 'auto', stagger: 3 }, () => ['----------#', noConnection]);
    expect(asked).toBe('465 implicit, 587 starttls, 25 starttls');
    expect(failures).toBe('465 implicit at 10, 587 starttls at 13, 25 starttls at 16, 587 none at 16, end at 16');
  });

  it('cost one timeout where it is one port', () => {
    const { asked, failures } = play({ modes: 'auto', port: 587 }, () => ['----------#', noConnection]);
    expect(asked).toBe('587 starttls');
    expect(failures).toBe('587 starttls at 10, 587 implicit at 10, end at 10');
  });
});

describe('what one candidate finds out', () => {
  it('no greeting in clear text: clear text is not waited for twice', () => {
    const { asked, failures } = play({ modes: 'auto', port: 587 }, ({ security }) => (security === 'implicit' ? ['----#', hungUp] : ['----------#', noGreeting]));
    expect(asked).toBe('587 starttls, 587 implicit');
    expect(failures).toBe('587 starttls at 10, 587 implicit at 14, end at 14');
  });

  it.each([
    ['that had begun: TLS is not tried at all', { failed: false, silent: false }, '587 starttls'],
    ['whose connection was lost: TLS is tried', { failed: true, silent: false }, '587 starttls, 587 implicit'],
  ])('a greeting in clear text %s', (_, wire, asked) => {
    expect(play({ modes: 'auto', port: 587 }, ({ security }) => (security === 'implicit' ? ['-#', hungUp] : ['-#', noGreeting, wire])).asked).toBe(asked);
  });

  it('a greeting in clear text: TLS is not tried at all', () => {
    const { asked, failures } = play({ modes: 'auto', port: 587 }, ({ security }) => (security === 'none' ? ['x'] : ['-gi#', noStartTls]));
    expect(asked).toBe('587 starttls, 587 none');
    expect(failures).toBe('587 starttls at 3, 587 implicit at 3');
  });

  it.each([undefined, 5])('a handshake and no greeting: clear text is not tried there at all, and the next port is (stagger %s)', (stagger) => {
    const run = { modes: 'auto', ...(stagger === undefined ? {} : { stagger }) } as const;
    const { asked, failures, error } = play({ ...run, port: 10025 }, () => ['-s#', closed]);
    expect(asked).toBe('10025 implicit');
    expect(failures).toBe('10025 implicit at 2, 10025 starttls at 2, end at 2');
    expect((error as SmtpFallbackError).attempts[1]?.error).toBe(closed);
    expect(play(run, ({ port }) => (port === 465 ? ['-s#', closed] : ['-gix']))).toMatchObject({ asked: '465 implicit, 587 starttls', error: undefined });
  });

  it.each<[string, { via?: string; isResumed?: boolean }, readonly string[]]>([
    ['of the server is remembered', {}, ['192.0.2.1']], ['of a proxy is not', { via: 'http://proxy.example:8080' }, []],
    // The silence of that one may have ended it.
    ['is not where another candidate had begun', { isResumed: true }, []],
  ])('a connection that came no further: the address %s', (_, { via, isResumed }, addresses) => {
    const memory = new Memory(false);
    const failedAt = vi.spyOn(memory, 'failedAt');
    play({ modes: ['none'], port: 587, memory }, () => ['-#', closed, { stream: { ...AT_ADDRESS, via }, ...(isResumed === undefined ? {} : { isResumed }) }]);
    expect(failedAt.mock.calls.map(([address]) => address)).toEqual(addresses);
  });

  it('TLS on one port: clear text is no last resort on any other', () => {
    const { asked, error, memory } = play({ modes: 'auto' }, ({ port }) => (port === 587 ? ['-gt#', hungUpAfterStartTls] : ['-#', noConnection]));
    expect(asked).toBe('465 implicit, 587 starttls');
    expect(error).toBe(hungUpAfterStartTls);
    expect(memory.metTls).toBe(true);
    const next = play({ modes: 'auto', memory }, ({ port, security }) => (security === 'none' ? ['x'] : port === 465 ? ['-#', noConnection] : ['-gi#', noStartTls]));
    expect(next.asked).toBe('465 implicit, 587 starttls, 25 starttls');
    expect(next.error).toBeInstanceOf(SmtpFallbackError);
    expect(next.error).toMatchObject({ attempts: [{}, {}, {}, { error: { reason: 'tls-was-met' } }, { error: { reason: 'tls-was-met' } }] });
  });

  it.each([
    ['STARTTLS that was offered', { port: 587, modes: 'auto' }, () => ['-gt#', refusedTls]],
    ['implicit TLS', { port: 10025, modes: 'auto' }, ({ security }) => (security === 'implicit' ? ['-sgix'] : ['#', refused])],
  ] satisfies readonly (readonly [string, Run, Parameters<typeof play>[1]])[])('%s: the next connection does not step down', (_, run, marbles) => {
    const { memory } = play(run, marbles);
    expect(memory.metTls).toBe(true);
    const next = play({ ...run, memory }, ({ security }) => (security === 'none' ? ['-gix'] : security === 'implicit' ? ['-#', hungUp] : ['-gi#', noStartTls]));
    expect(next.asked).not.toContain('none');
    expect(next.error).toBeInstanceOf(SmtpFallbackError);
  });

  it('STARTTLS in the very EHLO of clear text as the last resort: it is given up', () => {
    const { asked, error } = play({ modes: ['implicit', 'none'], port: 10025 }, ({ security }) => (security === 'implicit' ? ['-#', hungUp] : ['-gt-x']));
    expect(asked).toBe('10025 implicit, 10025 none');
    expect(error).toMatchObject({ attempts: [{ error: hungUp }, { error: { reason: 'tls-was-met', message: expect.stringContaining('was given up: this host can do TLS') as string } }] });
  });

  it.each([undefined, 3])('TLS where clear text was the first choice: it is no last resort (stagger %s)', (stagger) => {
    const run = { modes: ['none', 'implicit'], port: 10025, ...(stagger === undefined ? {} : { stagger }) } as const;
    const { memory } = play(run, ({ security }) => (security === 'none' ? ['-#', noGreeting] : ['-x']));
    memory.metTls = true;
    const next = play({ ...run, memory }, ({ security }) => (security === 'none' ? ['-x'] : ['-#', hungUp]));
    expect(next).toMatchObject({ asked: '10025 implicit, 10025 none', error: undefined });
  });

  it('a certificate that was refused: TLS was met', () => {
    const untrusted = new SmtpConnectionError('E_CERTIFICATE', { phase: 'tls', reason: 'untrusted', message: 'untrusted' });
    expect(play({ modes: 'auto', port: 10025 }, () => ['-#', untrusted]).memory.metTls).toBe(true);
    expect(play({ modes: 'auto', port: 10025 }, ({ security }) => ['-#', security === 'implicit' ? hungUp : noGreeting]).memory.metTls).toBe(false);
  });
});

describe('a sign-in that was refused', () => {
  const wrong = new SmtpAuthenticationError({ phase: 'auth', outcome: 'refused', offered: [], allowed: [], tried: [], reply: makeReply(535, ['no']), message: 'wrong.' });
  const denied = new SmtpConnectionError('E_PROXY', { phase: 'proxy', reason: 'authentication', message: 'denied.' });

  /** Connections that begin at their frames and last until their pictures end: how each ended, and when. */
  const ends = (connections: readonly (readonly [from: number, picture: string, error?: SmtpError])[], { staysTheSame = true, forgiveAt = Infinity } = {}): readonly string[] => {
    const told: string[] = [];
    inVirtualTime(({ cold }, scheduler) => {
      const memory = new Memory(staysTheSame);
      if (forgiveAt < Infinity) scheduler.schedule(() => { memory.forgive(); }, forgiveAt);
      connections.forEach(([from, picture, error], index) => scheduler.schedule(() => {
        openDoor(plan({ host: 'mail.example', port: 465, modes: ['implicit'] }), { memory, open: () => cold(picture, STEPS, error), leave: () => undefined, scheduler, stagger: undefined }).subscribe({
          next: ({ type }) => { if (type === 'session') told[index] = `open at ${String(scheduler.now())}`; },
          error: (reason: unknown) => { told[index] = `${(reason as SmtpError).message} at ${String(scheduler.now())}`; },
        });
      }, from));
    });
    return told;
  };
  const REMEMBERED = 'wrong. It was not asked again: a refusal holds for a minute, or until verify() is called.';

  it('is told to who comes to AUTH behind it, and to who comes later, but not to who had it done', () => {
    expect(ends([[0, '-gi--#', wrong], [0, '-g--i-x'], [0, '-g------i-x'], [0, '-gix'], [7, '-gix']])).toEqual(['wrong. at 5', 'open at 6', `${REMEMBERED} at 8`, 'open at 3', `${REMEMBERED} at 7`]);
  });

  it('holds for a minute from the first one', () => {
    expect(ends([[0, '-gi#', wrong], [0, '-gi----#', wrong], [60_002, '-gix'], [60_003, '-gix']])).toEqual(['wrong. at 3', 'wrong. at 7', `${REMEMBERED} at 60002`, 'open at 60006']);
  });

  it('holds until somebody asks again', () => {
    expect(ends([[0, '-gi#', wrong], [0, '-g----i-x']], { forgiveAt: 4 })).toEqual(['wrong. at 3', 'open at 8']);
  });

  it('is forgotten where the next one may sign in with something else', () => {
    expect(ends([[0, '-gi#', wrong], [0, '-g----i-x'], [7, '-gix']], { staysTheSame: false })).toEqual(['wrong. at 3', 'open at 8', 'open at 10']);
  });

  it('by a proxy is told to who comes later, and to nobody who has passed it', () => {
    expect(ends([[0, '-#', denied], [0, '--gix'], [7, '-gix']])).toEqual(['denied. at 1', 'open at 4', 'denied. It was not asked again: a refusal holds for a minute, or until verify() is called. at 7']);
  });
});
