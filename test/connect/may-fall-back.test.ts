import { describe, expect, it } from 'vitest';
import { mayFallBack, TLS_WAS_MET } from '../../src/connect/may-fall-back.js';
import { Capabilities } from '../../src/protocol/capabilities.js';
import type { SecurityMode } from '../../src/protocol/connection-plan.js';
import {
  SmtpAuthenticationError, SmtpConnectionError, SmtpProtocolError, SmtpReplyError, SmtpSourceError, SmtpTimeoutError, SmtpUsageError,
  type ConnectionErrorCode, type Phase, type SmtpError,
} from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Limit } from '../../src/protocol/timeouts.js';
import { startTlsMissing } from '../../src/session/starttls-missing.js';
import { tlsError } from '../../src/transport/tls-error.js';

const connection = (code: ConnectionErrorCode, phase: Phase, reason: string): SmtpError => new SmtpConnectionError(code, { phase, reason, message: '' });
const timeout = (phase: Phase, limit: Limit): SmtpError => new SmtpTimeoutError({ limit, phase, elapsed: 1, message: '' });
const reply = (phase: Phase, code: number): SmtpError => new SmtpReplyError({ phase, reply: makeReply(code, ['no']), command: '', message: '' });
const protocol = (phase: Phase, code?: number): SmtpError => new SmtpProtocolError('E_PROTOCOL', { phase, message: '', ...(code === undefined ? {} : { reply: makeReply(code, ['?']) }) });

const HANDSHAKE = { phase: 'tls', security: 'implicit', peer: 'mail.example', name: 'mail.example', versions: [], skippedVersions: [] } as const;

const ANY: readonly SecurityMode[] = ['implicit', 'starttls', 'none'];

type Row = readonly [title: string, error: SmtpError, goesOn: readonly SecurityMode[]];

/** Each error, and the modes in which it means "wrong door". */
const ROWS: readonly Row[] = [
  ['refused', connection('E_CONNECT', 'connect', 'ECONNREFUSED'), ANY],
  ['reset before it stood', connection('E_CONNECT', 'connect', 'ECONNRESET'), ANY],
  ['no route', connection('E_CONNECT', 'connect', 'EHOSTUNREACH'), ANY],
  ['no route to its network', connection('E_CONNECT', 'connect', 'ENETUNREACH'), ANY],
  ['its machine is down', connection('E_CONNECT', 'connect', 'EHOSTDOWN'), ANY],
  ['aborted before it stood', connection('E_CONNECT', 'connect', 'ECONNABORTED'), ANY],
  ['a firewall of ours', connection('E_CONNECT', 'connect', 'EPERM'), ANY],
  ['a firewall on the way', connection('E_CONNECT', 'connect', 'EACCES'), ANY],
  ['the system gave up', connection('E_CONNECT', 'connect', 'ETIMEDOUT'), ANY],
  ['no connection in time', timeout('connect', 'connect'), ANY],
  ['an address that is not ours', connection('E_CONNECT', 'connect', 'EADDRNOTAVAIL'), []],
  ['a port of ours that is taken', connection('E_CONNECT', 'connect', 'EADDRINUSE'), []],
  ['no descriptors left', connection('E_CONNECT', 'connect', 'EMFILE'), []],
  ['no address family in common', new SmtpUsageError({ phase: 'connect', message: '' }), []],
  ['no such host', connection('E_DNS', 'resolve', 'ENOTFOUND'), []],
  ['no resolver', connection('E_DNS', 'resolve', 'EAI_AGAIN'), []],
  ['no name in time', timeout('resolve', 'resolve'), []],

  ['a proxy that may not open this door', connection('E_PROXY', 'proxy', 'denied'), ANY],
  ['a proxy that does not reach this door', connection('E_PROXY', 'proxy', 'unreachable'), ANY],
  ['a proxy that hangs up where the door should open', connection('E_PROXY', 'proxy', 'closed'), ANY],
  ['a proxy that waits for this door', timeout('proxy', 'proxy'), ANY],
  ['a proxy that wants other credentials', connection('E_PROXY', 'proxy', 'authentication'), []],
  ['a proxy that nobody reaches', connection('E_PROXY', 'proxy', 'ECONNREFUSED'), []],
  ['a proxy that is not reached in time', timeout('proxy', 'connect'), []],
  ['a proxy with a bad certificate', connection('E_PROXY', 'proxy', 'untrusted'), []],

  ['clear text where TLS was begun', connection('E_TLS', 'tls', 'plaintext-peer'), ['implicit']],
  ['hung up on a handshake', connection('E_TLS', 'tls', 'reset'), ['implicit']],
  ['hung up in a handshake that had begun', tlsError(Object.assign(new Error(), { code: 'ECONNRESET' }), HANDSHAKE, 100), []],
  ['an alert about a message', tlsError(Object.assign(new Error(), { code: 'ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE' }), HANDSHAKE, 7), []],
  ['a first record that is none', tlsError(Object.assign(new Error(), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), HANDSHAKE, 7), ['implicit']],
  ['a record that is none in a handshake that had begun', tlsError(Object.assign(new Error(), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), HANDSHAKE, 97, true), []],
  ['no handshake in the greeting time', timeout('tls', 'greeting'), ['implicit']],
  ['no handshake in its own time', timeout('tls', 'tls'), ['implicit']],
  ['no common version', connection('E_TLS', 'tls', 'version'), []],
  ['no common cipher', connection('E_TLS', 'tls', 'cipher'), []],
  ['our certificate was refused', connection('E_TLS', 'tls', 'client-certificate'), []],
  ['any other alert', connection('E_TLS', 'tls', 'handshake'), []],
  ['clear text where TLS can be had', connection('E_TLS', 'tls', TLS_WAS_MET), ANY],
  ['an untrusted certificate', connection('E_CERTIFICATE', 'tls', 'untrusted'), []],
  ['an expired certificate', connection('E_CERTIFICATE', 'tls', 'expired'), []],
  ['a certificate for another host', connection('E_CERTIFICATE', 'tls', 'host-name'), []],

  ['no greeting', timeout('greeting', 'greeting'), ANY],
  ['hung up without a greeting', connection('E_CLOSED', 'greeting', 'closed'), ANY],
  ['a greeting that is not SMTP', protocol('greeting'), ANY],
  ['bytes that came before TLS', new SmtpProtocolError('E_INJECTION', { phase: 'greeting', message: '' }), []],
  ['a reply that is no greeting', protocol('greeting', 250), ANY],
  ['a greeting that refuses for now', reply('greeting', 421), []],
  ['a greeting that refuses', reply('greeting', 554), []],

  ['EHLO is not known, so neither is STARTTLS', reply('hello', 502), ['starttls']],
  ['EHLO is refused', reply('hello', 550), []],
  ['EHLO is refused for now', reply('hello', 421), []],
  ['EHLO is not answered', timeout('hello', 'command'), []],
  ['hung up on EHLO', connection('E_CLOSED', 'hello', 'closed'), []],
  ['EHLO is answered with what is no reply', protocol('hello'), []],

  ['STARTTLS is not offered', startTlsMissing('mail.example', Capabilities.none, []), ANY],
  ['STARTTLS is refused for now', reply('starttls', 454), []],
  ['STARTTLS is refused', reply('starttls', 502), []],
  ['STARTTLS is answered with what is no answer', protocol('starttls', 354), []],
  ['STARTTLS is answered with what is no reply', protocol('starttls'), []],
  ['STARTTLS is not answered', timeout('starttls', 'command'), []],
  ['hung up on STARTTLS', connection('E_CLOSED', 'starttls', 'closed'), []],
  ['injected bytes', new SmtpProtocolError('E_INJECTION', { phase: 'starttls', message: '' }), []],

  ['wrong credentials', new SmtpAuthenticationError({ phase: 'auth', offered: [], allowed: [], tried: [], message: '' }), []],
  ['AUTH is not answered', timeout('auth', 'command'), []],
  ['hung up on AUTH', connection('E_CLOSED', 'auth', 'closed'), []],
  ['an exchange that breaks the rules', protocol('auth'), []],
  ['a sender that is refused', reply('mail', 550), []],
  ['a content that broke', new SmtpSourceError({ phase: 'body', message: '' }), []],
  ...(['connect', 'proxy', 'tls', 'greeting', 'hello'] as const).map((phase): Row => [`the operation is over (${phase})`, timeout(phase, 'operation'), []]),
];

describe('mayFallBack', () => {
  for (const [title, error, goesOn] of ROWS) {
    it(`${title}: ${goesOn.length === ANY.length ? 'goes on' : goesOn.length === 0 ? 'ends' : `goes on from ${goesOn.join()}`}`, () => {
      expect(ANY.filter((security) => mayFallBack(error, security))).toEqual(goesOn);
    });
  }
});
