import { expect, it } from 'vitest';
import type { ConnectionPlan } from '../../src/protocol/connection-plan.js';
import { resume } from '../../src/session/resume.js';
import type { State } from '../../src/session/state.js';
import { monotonic } from '../../src/transport/clock.js';

const STARTTLS: ConnectionPlan = { host: 'mail.example', port: 587, security: 'starttls' };
const IMPLICIT: ConnectionPlan = { ...STARTTLS, security: 'implicit' };
const CLEAR: ConnectionPlan = { ...STARTTLS, security: 'none' };

const stateOf = (stage: State['stage'], wire: 'silent' | 'idle' | 'busy', tls?: object): State =>
  ({ stage, plan: STARTTLS, settings: { silence: 5 }, events: ['told'], wire: { silent: wire === 'silent', idle: wire === 'idle', stream: { tls }, context: { scheduler: monotonic } } }) as unknown as State;

it.each<[string, State, ConnectionPlan, boolean]>([
  ['a silent connection can still start with TLS', stateOf('connected', 'silent'), IMPLICIT, true],
  ['one that has spoken cannot', stateOf('connected', 'idle'), IMPLICIT, false],
  ['nor one that was greeted', stateOf('greeted', 'silent'), IMPLICIT, false],
  ['clear text goes on behind the greeting', stateOf('greeted', 'idle'), CLEAR, true],
  ['and behind EHLO', stateOf('introduced', 'idle'), CLEAR, true],
  ['not before the greeting', stateOf('connected', 'idle'), CLEAR, false],
  ['not in the midst of a reply', stateOf('introduced', 'busy'), CLEAR, false],
  ['not where TLS was begun', stateOf('introduced', 'idle', {}), CLEAR, false],
  ['STARTTLS is said only once', stateOf('introduced', 'idle'), STARTTLS, false],
  ['another port is another connection', stateOf('introduced', 'idle'), { ...CLEAR, port: 25 }, false],
  ['so is another host', stateOf('introduced', 'idle'), { ...CLEAR, host: 'mx.example' }, false],
])('%s', (_, state, plan, goesOn) => {
  const resumed = resume(state, plan);
  expect(resumed !== undefined).toBe(goesOn);
  if (resumed !== undefined) expect(resumed).toMatchObject({ stage: state.stage, plan, events: [] });
});
