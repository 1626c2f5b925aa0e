import type { ConnectionPlan, SecurityMode } from '../protocol/connection-plan.js';

/** What candidates are made of. */
export interface PlanInput {
  /** An A-label in lower case, or an address without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** `tls`: whichever door opens with TLS. `auto`: the same, and clear text as the last resort. A list is an exact order. */
  readonly modes: 'auto' | 'tls' | readonly SecurityMode[];
}

// RFC 8314 section 3.3 and RFC 6409: the submission ports, and the port for relay behind them.
const DOORS: Readonly<Record<SecurityMode, readonly number[]>> = { implicit: [465], starttls: [587, 25], none: [587, 25] };

// These greet in clear text; every other port is asked with TLS first, because a TLS client is answered at once either way.
const CLEAR_FIRST = new Set([25, 587, 2525]);

/** The doors to try, in order. Pure: nothing is opened to compute it. Who is shown a plan cannot change it. */
export const plan = ({ host, port, modes }: PlanInput): readonly ConnectionPlan[] => {
  const tls: readonly SecurityMode[] = port !== undefined && CLEAR_FIRST.has(port) ? ['starttls', 'implicit'] : ['implicit', 'starttls'];
  const order = modes === 'tls' ? tls : modes === 'auto' ? [...tls, 'none' as const] : modes;
  return order.flatMap((security) => (port === undefined ? DOORS[security] : [port]).map((door) => Object.freeze({ host, port: door, security })));
};

/** Clear text behind a way with TLS: it may be used only where none of those can be had. */
export const isLastResort = (plan: ConnectionPlan, plans: readonly ConnectionPlan[]): boolean =>
  plan.security === 'none' && plans.slice(0, plans.indexOf(plan)).some(({ security }) => security !== 'none');

/**
 * What opened before comes first, and the rest keeps its order. Pure. Clear text as the last resort never moves: where it
 * opened, STARTTLS is asked first at the same door, because both share one connection.
 */
export const inOrder = (plans: readonly ConnectionPlan[], opened: ConnectionPlan | undefined): readonly ConnectionPlan[] => {
  const first = opened !== undefined && isLastResort(opened, plans)
    ? plans.find(({ port, security }) => port === opened.port && security === 'starttls')
    : opened;
  return first === undefined || first === plans[0] ? plans : [first, ...plans.filter((plan) => plan !== first)];
};
