import type { Observable, SchedulerLike } from 'rxjs';
import type { SocketStream } from './byte-stream.js';
import type { Deadline } from './clock.js';
import { within, type DialSettings, type Rank, type Target } from './dial-context.js';
import { ownSocket } from './own-socket.js';
import { throughProxies } from './proxy.js';
import { tcp } from './tcp.js';

/**
 * A byte stream to the target: over a socket of the caller's own, through the proxies, or directly - never directly where
 * a proxy is set. Emits it once and completes: whoever took it owns it. Unsubscribing before that closes whatever is under way.
 */
export const dial = (target: Target, settings: DialSettings, operation: Deadline, scheduler: SchedulerLike, rank: Rank = () => 0): Observable<SocketStream> => {
  const context = { settings, operation, scheduler, rank };
  if (settings.socket !== undefined) return ownSocket(settings.socket).pipe(within(context, 'connect', 'Opening the stream of the option "socket"', 'Check what gives it, or raise that limit.'));
  const [nearest, ...further] = settings.proxies;
  return nearest === undefined ? tcp(target, context) : throughProxies([nearest, ...further], target, context);
};
