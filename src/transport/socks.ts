import { Duplex } from 'node:stream';
import { Observable } from 'rxjs';
import type * as Socks from 'socks';
import { ownValue } from '../protocol/bare.js';
import type { OpenTunnel } from './proxy.js';
import { BEFORE_ASKED, CLOSED, handshakeError, type ProxyReason, type ProxyStage } from './proxy-error.js';
import type { ProxySettings } from './proxy-settings.js';

// RFC 1928 section 3. The library would sign in with nothing.
const USER_AND_PASSWORD = 2;
// RFC 1929 section 2: so begins what is sent then.
const SIGN_IN = 1;
const NO_OTHER_KIND = 'It takes no user and password, and no other kind is known here.';
const NOT_OFFERED = 'it chose a method of authentication that was not offered';

/**
 * SOCKS 4, 4a and 5 (RFC 1928, RFC 1929). The library is fed byte by byte and writes through a stream that is only a
 * line to ours: so it takes exactly its own bytes, and what is glued to the proxy's last reply is left for the next reader.
 */
export const socksTunnel = ({ SocksClient }: typeof Socks): OpenTunnel => (stream, proxy, target) =>
  new Observable((subscriber) => {
    let handedOver = false;
    let isOpen = false;
    let asked = 0;
    let received = 0;
    /** What the proxy was asked last. */
    let stage: ProxyStage = 'request';
    const fail = (reason: ProxyReason, said: string, hint?: string): void => { subscriber.error(handshakeError(proxy, target, stage, reason, said, hint)); };
    const line = new Duplex({
      read: () => { /* It is fed by hand. */ },
      write: (chunk: Buffer, _encoding, done) => {
        asked += 1;
        if (proxy.protocol === 'socks5') stage = asked === 1 ? 'method negotiation' : chunk[0] === SIGN_IN ? 'authentication' : 'request';
        stream.write(chunk);
        done();
      },
    });
    const client = new SocksClient({
      command: 'connect',
      proxy: {
        host: proxy.host, port: proxy.port, type: proxy.protocol === 'socks5' ? 5 : 4,
        ...(proxy.user === undefined ? {} : { userId: proxy.user }),
        ...(proxy.pass === undefined ? {} : { password: proxy.pass.reveal() }),
      },
      destination: { ...target },
      timeout: 1,
    });
    // The library never clears its own timer, which holds all of this. Ours is the limit, so that it may ring at once.
    Object.assign(client, { onEstablishedTimeout: () => undefined });
    client.on('established', ({ remoteHost }) => {
      isOpen = proxy.protocol !== 'socks5' || remoteHost !== undefined;
      if (!isOpen) fail('protocol', 'it answered with an address of no known type');
    });
    client.on('error', ({ message }) => { fail(...meaningOf(message, proxy)); });
    client.connect(line);

    const read = (chunk: Buffer): void => {
      for (let at = 0; at < chunk.length && !subscriber.closed; at += 1) {
        received += 1;
        if (proxy.protocol === 'socks5' && received === 2 && chunk[at] === USER_AND_PASSWORD && proxy.user === undefined) { fail('protocol', NOT_OFFERED); return; }
        const before = asked;
        line.emit('data', chunk.subarray(at, at + 1));
        // What came together with the answer before was said by whoever was not asked yet.
        if (asked > before && at + 1 < chunk.length) { fail('protocol', BEFORE_ASKED); return; }
        if (!isOpen) continue;
        reading.unsubscribe();
        stream.putBack(chunk.subarray(at + 1));
        handedOver = true;
        subscriber.next(stream);
        subscriber.complete();
        return;
      }
    };
    // RFC 1929 section 2: who refuses user and password closes the connection. Some do nothing else, and others restart in just that moment.
    const lost = (how: string): void => { fail('closed', how, stage === 'authentication' ? 'It may refuse user and password so: check them in the option "proxy", or try again later.' : undefined); };
    const reading = stream.bytes.subscribe({
      next: read,
      complete: () => { lost(CLOSED); },
      error: (error: unknown) => { lost(`the connection was lost (${(error as NodeJS.ErrnoException).code ?? ''})`); },
    });
    return () => {
      reading.unsubscribe();
      line.destroy();
      if (!handedOver) stream.destroy();
    };
  });

/** The replies of SOCKS 5 (RFC 1928 section 6) and SOCKS 4, by the library's names for them. */
const REPLIES: Readonly<Record<string, readonly [code: number, said: string, reason: ProxyReason, hint?: string]>> = {
  Failure: [1, 'general failure', 'unreachable'],
  NotAllowed: [2, 'not allowed by its rules', 'denied'],
  NetworkUnreachable: [3, 'network unreachable', 'unreachable'],
  HostUnreachable: [4, 'host unreachable', 'unreachable'],
  ConnectionRefused: [5, 'connection refused', 'unreachable'],
  TTLExpired: [6, 'TTL expired', 'unreachable'],
  CommandNotSupported: [7, 'command not supported', 'unsupported'],
  AddressNotSupported: [8, 'address type not supported', 'unsupported'],
  Failed: [91, 'request rejected or failed', 'unreachable'],
  Rejected: [92, 'it cannot ask this machine who the user is', 'authentication', 'Run identd (RFC 1413) on this machine, or use another protocol in the option "proxy".'],
  RejectedIdent: [93, 'the user is another one', 'authentication', 'Give the user in the option "proxy" that identd on this machine names, or that the proxy expects.'],
};

/** Only the library's message is read: its error carries the options, and with them the password. */
const meaningOf = (message: string, { user }: ProxySettings): readonly [reason: ProxyReason, said: string, hint?: string | undefined] => {
  const name = /rejected connection - \(?(\w+)\)?$/.exec(message)?.[1];
  if (name !== undefined) {
    const [code, said, reason, hint] = ownValue(REPLIES, name) ?? [];
    return reason === undefined ? ['protocol', 'its answer is none that SOCKS knows'] : [reason, `it answered ${String(code)}, ${said}`, hint];
  }
  if (message.includes('no accepted authentication')) return ['authentication', 'it answered 255, no acceptable method of authentication', user === undefined ? undefined : NO_OTHER_KIND];
  if (message.includes('Authentication failed')) return ['authentication', 'it refused user and password'];
  if (message.includes('unknown authentication')) return ['protocol', NOT_OFFERED];
  return ['protocol', 'its answer is not SOCKS'];
};
