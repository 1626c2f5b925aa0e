import type { ConnectionPlan } from '../protocol/connection-plan.js';
import { deadline } from '../transport/clock.js';
import type { State } from './state.js';

/**
 * The same connection under another plan for that door, where what was said on it serves that plan too: a silent one can
 * still start with TLS, and clear text goes on where STARTTLS was missed. Otherwise undefined.
 */
export const resume = (state: State, plan: ConnectionPlan): State | undefined => {
  const { stage, wire, settings } = state;
  const { host, port } = state.plan;
  if (host !== plan.host || port !== plan.port) return undefined;
  if (plan.security === 'implicit' && stage === 'connected' && wire.silent)
    return { ...state, plan, events: [], greetBy: deadline(wire.context.scheduler, 'greeting', settings.silence) };
  if (plan.security === 'none' && (stage === 'greeted' || stage === 'introduced') && wire.idle && wire.stream.tls === undefined)
    return { ...state, plan, events: [] };
  return undefined;
};
