import type * as Http from 'node:http';
import { Observable } from 'rxjs';
import { hostAndPort } from '../protocol/connection-plan.js';
import { printable } from '../protocol/printable.js';
import { Redactor } from '../protocol/redactor.js';
import type { OpenTunnel } from './proxy.js';
import { CLOSED, handshakeError, lateTlsError, type ProxyReason } from './proxy-error.js';
import { secretOf, type ProxySettings } from './proxy-settings.js';

const LARGEST_HEAD = 16 * 1024;
const LONGEST_WORDS = 200;
const MOST_INTERIM = 5;

/** HTTP CONNECT (RFC 9110 section 9.3.6). Only 2xx opens the tunnel; what comes behind its head belongs to the next reader. */
export const httpTunnel = ({ request }: typeof Http): OpenTunnel => (stream, proxy, target) =>
  new Observable((subscriber) => {
    let handedOver = false;
    const authority = hostAndPort(target);
    const credentials = credentialsOf(proxy);
    const fail = (reason: ProxyReason, said: string, hint?: string): void => { subscriber.error(handshakeError(proxy, target, 'request', reason, said, hint)); };
    const headers = { host: authority, connection: 'keep-alive', ...(credentials === undefined ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}` }) };
    // The strict parser refuses what a client may or must take (RFC 9112 sections 2.2 and 5.2: a bare LF, a folded line). It guards where one body ends and
    // the next head begins: no body is read here, and whoever wrote the head may write all that comes behind it.
    const options: Http.RequestOptions = { method: 'CONNECT', path: authority, createConnection: () => stream.socket, headers, maxHeaderSize: LARGEST_HEAD, insecureHTTPParser: true };
    /** Hears the next answer. A request is not sent before it ends, and only the first one does. */
    const hearing = (interim = 0): Http.ClientRequest => request(options)
      // The tunnel or answer before this one left it paused.
      .on('socket', (socket) => { socket.resume(); })
      .on('connect', (response, _socket, head) => { answered(response, head, interim); })
      // The error of a parser carries what the proxy sent, and that may be our credentials.
      .on('error', (error: NodeJS.ErrnoException) => {
        const { code = '' } = error;
        const refused = lateTlsError(proxy, error);
        if (refused !== undefined) subscriber.error(refused);
        else if (code === 'HPE_HEADER_OVERFLOW') fail('protocol', `its answer has a head of more than ${String(LARGEST_HEAD)} bytes`);
        else if (code.startsWith('HPE_')) fail('protocol', `its answer is not HTTP (${code})`);
        // Node has an errno of its own for an end in good order.
        else fail('closed', code === 'ECONNRESET' && error.syscall === undefined ? CLOSED : `the connection was lost without an answer (${code})`);
      });
    const answered = (response: Http.IncomingMessage, head: Buffer, interim: number): void => {
      const { statusCode = 0 } = response;
      // RFC 9110 section 15.2. Node takes any answer to CONNECT for the last one.
      if (statusCode >= 100 && statusCode < 200 && statusCode !== 101 && interim < MOST_INTERIM) {
        stream.putBack(head);
        connect = hearing(interim + 1);
        return;
      }
      if (statusCode < 200 || statusCode > 299) {
        fail(meaningOf(statusCode), `it answered ${String(statusCode)} ${words(response, proxy)}`.trimEnd(), hintOf(response));
        return;
      }
      stream.socket.pause();
      stream.putBack(head);
      handedOver = true;
      subscriber.next(stream);
      subscriber.complete();
    };
    let connect = hearing();
    connect.end();
    return () => {
      if (handedOver) return;
      connect.destroy();
      stream.destroy();
    };
  });

/** As they stand in the header, but for their base64 (RFC 7617 section 2). */
const credentialsOf = ({ user, pass }: ProxySettings): string | undefined => (user === undefined ? undefined : `${user}:${pass?.reveal() ?? ''}`);

// 401 is for servers, but before a tunnel stands only the proxy speaks, and some proxies say it of themselves.
const wantsCredentials = (status: number): boolean => status === 407 || status === 401;

const meaningOf = (status: number): ProxyReason => {
  if (wantsCredentials(status)) return 'authentication';
  if (status === 408 || status === 429) return 'busy';
  if (status === 501 || status === 505) return 'unsupported';
  if (status >= 400 && status < 500) return 'denied';
  return status >= 500 && status < 600 ? 'unreachable' : 'protocol';
};

/** What the proxy said, as far as it may be shown: some send back what they were given. */
const words = ({ statusMessage = '' }: Http.IncomingMessage, proxy: ProxySettings): string => {
  const redactor = new Redactor();
  const credentials = credentialsOf(proxy);
  redactor.mayMeetEchoes = true;
  // The whole first, or a part of it would stay behind.
  if (credentials !== undefined) redactor.conceal(credentials);
  redactor.conceal(secretOf(proxy));
  return printable(redactor.clean(statusMessage).slice(0, LONGEST_WORDS));
};

const hintOf = ({ statusCode = 0, headers }: Http.IncomingMessage): string | undefined => {
  const schemes = [headers['proxy-authenticate'] ?? [], headers['www-authenticate'] ?? []].flat().join(', ');
  return wantsCredentials(statusCode) && schemes !== '' && !/(?:^|,)\s*basic\b/i.test(schemes) ? 'It does not take Basic credentials, and no other kind is known here.' : undefined;
};
