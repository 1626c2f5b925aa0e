import { concatMap, defer, forkJoin, map, of, throwError, type Observable } from 'rxjs';
import { reasonOf, sentence, SmtpConnectionError, SmtpTimeoutError, SmtpUsageError } from '../protocol/error.js';
import { SocketStream } from './byte-stream.js';
import { within, type DialContext, type Target } from './dial-context.js';
import { httpTunnel } from './http-connect.js';
import { mapError } from './map-error.js';
import { BEFORE_ASKED, handshakeError, tlsStageError } from './proxy-error.js';
import { describeProxy, type ProxySettings } from './proxy-settings.js';
import { resolve } from './resolve.js';
import { secure } from './secure.js';
import { socksTunnel } from './socks.js';
import { tcp } from './tcp.js';

/**
 * Asks the proxy at the other end for a way to the target. Owns the stream from `subscribe`; emits it when it leads to the
 * target and completes. Unsubscribing before that closes it.
 */
export type OpenTunnel = (stream: SocketStream, proxy: ProxySettings, target: Target) => Observable<SocketStream>;

/**
 * A byte stream through proxies, the nearest first: each is asked for the next one, the last one for the target. Fails with
 * `E_PROXY` where one of them cannot be reached or says no; no other way is ever tried.
 */
export const throughProxies = (proxies: readonly [ProxySettings, ...ProxySettings[]], target: Target, context: DialContext): Observable<SocketStream> =>
  forkJoin(proxies.map((proxy, index) => prepare(proxy, proxies[index + 1] ?? target, context))).pipe(
    concatMap((tunnels) => tunnels.reduce((stream$, open) => stream$.pipe(concatMap(open)), reach(proxies[0], context))),
  );

/** All that a tunnel needs before a socket is opened: the library that speaks with the proxy, which nobody else loads, and an address where the proxy takes no names. */
const prepare = (proxy: ProxySettings, target: Target, context: DialContext): Observable<(stream: SocketStream) => Observable<SocketStream>> =>
  forkJoin([
    proxy.protocol.startsWith('socks') ? defer(() => import('socks')).pipe(mapError(notLoaded), map(socksTunnel)) : defer(() => import('node:http')).pipe(map(httpTunnel)),
    proxy.protocol === 'socks4' ? withAddress(target, context) : of(target),
  ]).pipe(
    map(([openTunnel, place]) => (stream) => encrypted(stream, proxy).pipe(
      concatMap((line) => (line.unread > 0 ? spokenTooEarly(line, proxy, place) : openTunnel(line, proxy, place))),
      map((line) => behind(proxy, line)),
      within(context, 'proxy', `The handshake with the proxy ${describeProxy(proxy)}`),
    )),
  );

/** A stream that leads on through the proxy at its other end: TLS with that ends there. */
const behind = (proxy: ProxySettings, { socket, remote, local, via }: SocketStream): SocketStream =>
  new SocketStream(socket, { remote, local, via: via === undefined ? describeProxy(proxy) : `${via} -> ${describeProxy(proxy)}` });

/** Only a server speaks first: what stands behind another proxy's answer, or came with a handshake, was not asked for. */
const spokenTooEarly = (stream: SocketStream, proxy: ProxySettings, target: Target): Observable<never> => {
  stream.destroy();
  return throwError(() => handshakeError(proxy, target, 'request', 'protocol', BEFORE_ASKED));
};

const notLoaded = (cause: unknown): SmtpUsageError =>
  new SmtpUsageError({ phase: 'proxy', cause, message: `The package socks, which speaks to a SOCKS proxy, cannot be loaded: ${sentence(reasonOf(cause))} Install it, or leave it out of the bundle ("external").` });

/** SOCKS 4 knows IPv4 addresses only. */
const withAddress = ({ host, port }: Target, context: DialContext): Observable<Target> =>
  resolve(host, context).pipe(
    map((addresses) => {
      const ipv4 = addresses.find(({ family }) => family === 4);
      if (ipv4 === undefined) throw new SmtpConnectionError('E_PROXY', {
        phase: 'proxy', reason: 'unsupported', message: `SOCKS 4 carries IPv4 only, and ${host} has no IPv4 address. Use socks4a or socks5 in the option "proxy".`,
      });
      return { host: ipv4.address, port };
    }),
  );

const reach = (proxy: ProxySettings, context: DialContext): Observable<SocketStream> =>
  tcp(proxy, context).pipe(mapError((error) => unreached(proxy, error)));

// What only this machine decides stays what it is: the option "localEndpoint" is wrong, not the proxy.
const unreached = (proxy: ProxySettings, error: unknown): unknown => {
  const message = `The proxy ${describeProxy(proxy)} was not reached. `;
  if (error instanceof SmtpTimeoutError) return new SmtpTimeoutError({ phase: 'proxy', limit: error.limit, elapsed: error.elapsed, message: message + error.message });
  if (!(error instanceof SmtpConnectionError) || error.reason === 'EADDRNOTAVAIL' || error.reason === 'EADDRINUSE') return error;
  const { reason, retryable, cause } = error;
  return new SmtpConnectionError('E_PROXY', { phase: 'proxy', reason, retryable, cause, message: message + error.message });
};

const encrypted = (stream: SocketStream, proxy: ProxySettings): Observable<SocketStream> => {
  if (proxy.tls === undefined) return of(stream);
  return secure(stream, proxy, proxy.tls, 'proxy').pipe(
    mapError((error) => (error instanceof SmtpConnectionError ? tlsStageError(proxy, error) : error)),
  );
};
