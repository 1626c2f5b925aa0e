import { describe, expect, it } from 'vitest';
import { SmtpTimeoutError } from '../../src/protocol/error.js';
import type { SaslMechanism } from '../../src/sasl/mechanism.js';
import { saslExchange } from '../../src/session/sasl-exchange.js';
import type { SignIn } from '../../src/session/sign-in.js';
import { deadline } from '../../src/transport/clock.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';
import { inVirtualTime } from '../support/marbles.js';

const SERVER = { c: Buffer.from('334 \r\n'), n: Buffer.from('501 5.5.2 cancelled\r\n') };
const TICKET: SaslMechanism = { name: 'X-TICKET', done: false, start: () => undefined, next: () => { throw new Error('no ticket'); } };

describe('an exchange that its mechanism breaks ends with', () => {
  it.each([
    ['the reason, when the server has answered "*"', '-c-n', 60_000, 'no ticket at 3'],
    ['the reason, where the server has no more time for that', '-c', 5, 'no ticket at 6'],
    ['the deadline of the whole, where that comes first', '-c', 60_000, 'timeouts.operation at 50'],
  ])('%s', (_, server, quit, expected) => {
    inVirtualTime(({ hot, flush }, scheduler) => {
      const stream = new FakeStream(hot(server, SERVER));
      const wire = wireOn(stream, { scheduler, timeouts: { quit } });
      const signIn = { state: { wire, plan: { host: 'mail.example' }, operation: deadline(scheduler, 'operation', 50) }, credentials: { kind: 'mechanism', mechanism: TICKET } } as unknown as SignIn;
      let told = '';
      saslExchange(signIn, TICKET).subscribe({
        error: (error: unknown) => { told = `${error instanceof SmtpTimeoutError ? `timeouts.${error.limit}` : (error as Error).message} at ${String(scheduler.now())}`; },
      });
      flush();
      expect(told).toBe(expected);
      expect(stream.written).toEqual(['AUTH X-TICKET\r\n', '*\r\n']);
    });
  });
});
