import type { ConnectEvent, ConnectionPlan } from '../index.js';
import { hostAndPort } from '../protocol/connection-plan.js';

type EventOf<T extends ConnectEvent['type']> = Extract<ConnectEvent, { readonly type: T }>;

const lastOf = <T extends ConnectEvent['type']>(events: readonly ConnectEvent[], type: T): EventOf<T> | undefined =>
  events.findLast((event): event is EventOf<T> => event.type === type);

/** How one may sign in, and how it was done. */
export const signIn = (events: readonly ConnectEvent[]): string => {
  const offered = lastOf(events, 'ready')?.supportedAuthentication ?? [];
  const used = lastOf(events, 'authenticated')?.mechanism;
  return `sign-in: ${offered.join(', ') || 'not offered'}${used === undefined ? '' : `; used ${used}`}`;
};

/** The settings with which the next connection goes through the door that opened, and tries no other. */
export const pin = (events: readonly ConnectEvent[]): readonly string[] => {
  const plan = opened(events);
  if (plan === undefined) return [];
  const { host, port, security } = plan;
  return [`pin: port ${port}, security "${security}"`, `  as a URL    ${urlOf(plan)}`, `  as options  ${JSON.stringify({ host, port, security })}`];
};

// Doors may be tried side by side: the one that opened did not fail, and is secured as the connection is.
const opened = (events: readonly ConnectEvent[]): ConnectionPlan | undefined => {
  const security = lastOf(events, 'secured')?.mode ?? 'none';
  const failed = events.flatMap((event) => (event.type === 'attempt-failed' ? [event.index] : []));
  return lastOf(events.filter((event) => event.type === 'attempt-started' && event.plan.security === security && !failed.includes(event.index)), 'attempt-started')?.plan;
};

const SCHEMES = { implicit: 'smtps', starttls: 'smtp+starttls', none: 'smtp' } as const;

const urlOf = (plan: ConnectionPlan): string => `${SCHEMES[plan.security]}://${hostAndPort(plan)}${plan.security === 'none' ? '?security=none' : ''}`;
