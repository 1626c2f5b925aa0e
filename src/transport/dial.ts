import type { Observable } from 'rxjs';
import type { SocketStream } from './byte-stream.js';
import { within, type DialContext, type Target } from './dial-context.js';
import { ownSocket } from './own-socket.js';
import { throughProxies } from './proxy.js';
import { tcp } from './tcp.js';

/**
 * A byte stream to the target: over a socket of the caller's own, through the proxies, or directly - never directly where
 * a proxy is set. Emits it once and completes: whoever took it owns it. Unsubscribing before that closes whatever is under way.
 */
export const dial = (target: Target, context: DialContext): Observable<SocketStream> => {
  const { socket, proxies: [nearest, ...further] } = context.settings;
  if (socket !== undefined) return ownSocket(socket).pipe(within(context, 'connect', 'Opening the stream of the option "socket"', 'Check what gives it, or raise that limit.'));
  return nearest === undefined ? tcp(target, context) : throughProxies([nearest, ...further], target, context);
};
