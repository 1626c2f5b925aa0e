import type { ConnectEvent, ConnectionPlan, SmtpOptions } from '../index.js';
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

/**
 * The settings with which the next connection goes through the door that opened, and tries no other.
 * @param plans in the order of the next try.
 */
export const pin = (events: readonly ConnectEvent[], plans: readonly ConnectionPlan[], options: SmtpOptions): readonly string[] => {
  const plan = opened(events, plans);
  if (plan === undefined) return [];
  const { host, port, security } = plan;
  const way = WAYS.filter((name) => options[name] !== undefined);
  return [
    `pin: port ${port}, security "${security}"`,
    // An address with a zone cannot stand in a URL.
    ...(host.includes('%') ? [] : [`  as a URL    ${urlOf(plan)}`]),
    `  as options  ${JSON.stringify({ host, port, security })}`,
    ...(way.length === 0 ? [] : [`  and keep    ${way.join(', ')}, or the connection takes another way`]),
  ];
};

// They may hold credentials, and a URL does not have room for all of them.
const WAYS = ['proxy', 'localEndpoint', 'socket'] as const satisfies readonly (keyof SmtpOptions)[];

// What opened comes first from now on. Only clear text as the last resort does not: that never races, so it was begun last.
const opened = (events: readonly ConnectEvent[], [first]: readonly ConnectionPlan[]): ConnectionPlan | undefined =>
  lastOf(events, 'ready')?.secure === (first?.security !== 'none') ? first : lastOf(events, 'attempt-started')?.plan;

const SCHEMES = { implicit: 'smtps', starttls: 'smtp+starttls', none: 'smtp' } as const;

const urlOf = (plan: ConnectionPlan): string => `${SCHEMES[plan.security]}://${hostAndPort(plan)}${plan.security === 'none' ? '?security=none' : ''}`;
