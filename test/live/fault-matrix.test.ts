import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SmtpClient, type Message, type Outcome, type Phase, type SmtpOptions } from '../../src/index.js';
import { startServer, type Fault } from '../../src/testing/index.js';
import { collect } from '../support/collect.js';
import { pageWith, table } from '../support/page.js';

const BODY = `Subject: matrix\r\n\r\n${'0123456789abcdef\r\n'.repeat(20_000)}`;
const MESSAGE = { envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: BODY };
const LIMITS = { greeting: 300, command: 300, dataBlock: 300, endOfData: 300, quit: 100, tls: 300 };
const PATIENCE = { quit: 100 };

function* large(): Generator<string> { for (let sent = 0; sent < 64; sent += 1) yield 'x'.repeat(78).concat('\r\n').repeat(5_000); }

const LARGE: Message = { ...MESSAGE, raw: () => Readable.from(large()) };
const WITHOUT_CHUNKS = { without: ['CHUNKING'] };

type Row = readonly [fault: string, script: Fault, expected: readonly [code: string, phase: Phase, outcome: Outcome, retryable: boolean]];

const silence = (at: Fault['at']): Fault => ({ at, do: 'silence' });
const reset = (at: Fault['at']): Fault => ({ at, do: 'reset' });
const fin = (at: Fault['at']): Fault => ({ at, do: 'half-close' });
const garbage = (at: Fault['at']): Fault => ({ at, do: 'garbage', bytes: Buffer.from('not a reply\r\n') });
const says = (at: Fault['at'], reply: string): Fault => ({ at, do: 'reply', reply });
const drip = (at: Fault['at']): Fault => ({ at, do: 'dribble', ms: 100, bytes: 1, reply: '250 slowly, slowly, slowly' });
const flood = (at: Fault['at']): Fault => ({ at, do: 'flood' });
const extra = (at: Fault['at'], more: string): Fault => ({ at, do: 'glue', extra: `${more}\r\n` });

/** The faults that every phase of commands has, and what they mean there. */
const commandRows = (at: 'ehlo' | 'mail' | 'rcpt', phase: Phase): readonly Row[] => [
  [`${at}: black hole`, silence(at), ['E_TIMEOUT', phase, 'not-sent', true]],
  [`${at}: reset`, reset(at), ['E_CLOSED', phase, 'not-sent', true]],
  [`${at}: half-close`, fin(at), ['E_CLOSED', phase, 'not-sent', true]],
  [`${at}: garbage`, garbage(at), ['E_PROTOCOL', phase, 'not-sent', false]],
  [`${at}: 4xx`, says(at, '451 4.3.0 not now'), ['E_REPLY', phase, 'refused', true]],
  [`${at}: 5xx`, says(at, '550 5.7.1 no'), ['E_REPLY', phase, 'refused', false]],
  [`${at}: 421`, { at, do: 'close', reply: '421 4.3.2 shutting down' }, ['E_REPLY', phase, 'refused', true]],
  [`${at}: slow drip`, drip(at), ['E_TIMEOUT', phase, 'not-sent', true]],
  [`${at}: huge reply`, flood(at), ['E_PROTOCOL', phase, 'not-sent', false]],
  [`${at}: unexpected code`, says(at, '354 go ahead'), ['E_PROTOCOL', phase, 'not-sent', false]],
];

const ROWS: readonly Row[] = [
  ['greeting: black hole', silence('greeting'), ['E_TIMEOUT', 'greeting', 'not-sent', true]],
  ['greeting: reset', { at: 'greeting', do: 'reset', ms: 20 }, ['E_CLOSED', 'greeting', 'not-sent', true]],
  ['greeting: half-close', fin('greeting'), ['E_CLOSED', 'greeting', 'not-sent', true]],
  ['greeting: garbage', garbage('greeting'), ['E_PROTOCOL', 'greeting', 'not-sent', false]],
  ['greeting: 4xx', says('greeting', '450 4.3.0 not now'), ['E_REPLY', 'greeting', 'refused', true]],
  ['greeting: 5xx', says('greeting', '554 no'), ['E_REPLY', 'greeting', 'refused', false]],
  ['greeting: 421', { at: 'greeting', do: 'close', reply: '421 busy' }, ['E_REPLY', 'greeting', 'refused', true]],
  ['greeting: slow drip', drip('greeting'), ['E_TIMEOUT', 'greeting', 'not-sent', true]],
  ['greeting: huge reply', flood('greeting'), ['E_PROTOCOL', 'greeting', 'not-sent', false]],
  ['greeting: extra replies', extra('greeting', '250 early'), ['E_PROTOCOL', 'greeting', 'not-sent', false]],
  ['greeting: 421 behind the reply', extra('greeting', '421 4.3.2 shutting down'), ['E_REPLY', 'greeting', 'refused', true]],
  ['greeting: unexpected code', says('greeting', '250 hello'), ['E_PROTOCOL', 'greeting', 'not-sent', false]],
  ...commandRows('ehlo', 'hello'),
  ['ehlo: extra replies', extra('ehlo', '250 twice'), ['E_PROTOCOL', 'hello', 'not-sent', false]],
  ['ehlo: 421 behind the reply', extra('ehlo', '421 4.3.2 shutting down'), ['E_REPLY', 'hello', 'refused', true]],
  ...commandRows('mail', 'mail'),
  ['mail: a greeting', says('mail', '220 mail.example.com ESMTP'), ['E_PROTOCOL', 'mail', 'not-sent', false]],
  ...commandRows('rcpt', 'rcpt'),
  ['rcpt: 552 is temporary', says('rcpt', '552 too many'), ['E_REPLY', 'rcpt', 'refused', true]],
  ['data: black hole', silence('data'), ['E_TIMEOUT', 'data', 'not-sent', true]],
  ['data: reset', reset('data'), ['E_CLOSED', 'data', 'not-sent', true]],
  ['data: half-close', fin('data'), ['E_CLOSED', 'data', 'not-sent', true]],
  ['data: garbage', garbage('data'), ['E_PROTOCOL', 'data', 'not-sent', false]],
  ['data: 4xx', says('data', '451 4.3.0 not now'), ['E_REPLY', 'data', 'refused', true]],
  ['data: 5xx', says('data', '554 5.7.1 no'), ['E_REPLY', 'data', 'refused', false]],
  ['data: 421', { at: 'data', do: 'close', reply: '421 4.3.2 shutting down' }, ['E_REPLY', 'data', 'refused', true]],
  ['data: slow drip', drip('data'), ['E_TIMEOUT', 'data', 'not-sent', true]],
  ['data: huge reply', flood('data'), ['E_PROTOCOL', 'data', 'not-sent', false]],
  ['data: a second reply that accepts', extra('data', '250 queued'), ['E_PROTOCOL', 'body', 'unknown', false]],
  ['data: a second reply that refuses', extra('data', '552 too big'), ['E_REPLY', 'body', 'refused', false]],
  ['data: 2yz is no go-ahead', says('data', '250 ok'), ['E_PROTOCOL', 'data', 'not-sent', false]],
  ['final reply: black hole', silence('end-of-data'), ['E_TIMEOUT', 'end-of-data', 'unknown', false]],
  ['final reply: reset', reset('end-of-data'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['final reply: half-close', fin('end-of-data'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['final reply: garbage', garbage('end-of-data'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
  ['final reply: 4xx', says('end-of-data', '451 4.7.1 greylisted'), ['E_REPLY', 'end-of-data', 'refused', true]],
  ['final reply: 5xx', says('end-of-data', '554 5.6.0 no'), ['E_REPLY', 'end-of-data', 'refused', false]],
  ['final reply: 421', { at: 'end-of-data', do: 'close', reply: '421 4.3.2 shutting down' }, ['E_REPLY', 'end-of-data', 'refused', true]],
  ['final reply: slow drip', drip('end-of-data'), ['E_TIMEOUT', 'end-of-data', 'unknown', false]],
  ['final reply: huge reply', flood('end-of-data'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
  ['final reply: 3yz', says('end-of-data', '354 more'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
];

/** Of a content that no buffer on the way can hold. */
const BODY_ROWS: readonly Row[] = [
  ['body: write stall', { at: 'body', do: 'stall', ms: 1_000 }, ['E_TIMEOUT', 'body', 'not-sent', true]],
  ['body: reset', { at: 'body', after: 100_000, do: 'reset' }, ['E_CLOSED', 'body', 'not-sent', true]],
  ['body: 4xx', { at: 'body', after: 100_000, do: 'reply', reply: '452 4.3.1 disk full' }, ['E_REPLY', 'body', 'refused', true]],
  ['body: 5xx', { at: 'body', after: 100_000, do: 'reply', reply: '552 5.3.4 too big' }, ['E_REPLY', 'body', 'refused', false]],
  ['body: garbage', { at: 'body', after: 100_000, do: 'garbage' }, ['E_PROTOCOL', 'body', 'not-sent', false]],
  ['body: half-close', { at: 'body', after: 100_000, do: 'half-close' }, ['E_CLOSED', 'body', 'not-sent', true]],
  ['body: 421', { at: 'body', after: 100_000, do: 'close', reply: '421 4.3.2 shutting down' }, ['E_REPLY', 'body', 'refused', true]],
  ['body: two refusals', { at: 'body', after: 100_000, do: 'glue', reply: '552 5.3.4 too big', extra: '552 5.3.4 really\r\n' }, ['E_REPLY', 'body', 'refused', false]],
  ['body: 2yz', { at: 'body', after: 100_000, do: 'reply', reply: '250 2.0.0 queued' }, ['E_PROTOCOL', 'body', 'unknown', false]],
];

/** Of a mail that leaves in one write: from then on only the server's word tells what became of it. */
const AT_ONCE_ROWS: readonly Row[] = [
  ['mail: black hole', silence('mail'), ['E_TIMEOUT', 'end-of-data', 'unknown', false]],
  ['mail: reset', reset('mail'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['mail: half-close', fin('mail'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['mail: garbage', garbage('mail'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
  ['mail: 4xx', says('mail', '451 4.3.0 not now'), ['E_REPLY', 'mail', 'refused', true]],
  ['mail: 5xx', says('mail', '550 5.7.1 no'), ['E_REPLY', 'mail', 'refused', false]],
  ['mail: 421', { at: 'mail', do: 'close', reply: '421 4.3.2 shutting down' }, ['E_REPLY', 'mail', 'refused', true]],
  ['mail: a sign-in', says('mail', '235 2.7.0 welcome'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
  ['rcpt: 5xx', says('rcpt', '550 5.1.1 no'), ['E_REPLY', 'rcpt', 'refused', false]],
  ['rcpt: reset', reset('rcpt'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['final reply: black hole', silence('end-of-data'), ['E_TIMEOUT', 'end-of-data', 'unknown', false]],
  ['final reply: half-close', fin('end-of-data'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['final reply: garbage', garbage('end-of-data'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
  ['final reply: 4xx', says('end-of-data', '451 4.7.1 greylisted'), ['E_REPLY', 'end-of-data', 'refused', true]],
  ['final reply: 5xx', says('end-of-data', '554 5.6.0 no'), ['E_REPLY', 'end-of-data', 'refused', false]],
  ['final reply: 3yz', says('end-of-data', '354 more'), ['E_PROTOCOL', 'end-of-data', 'unknown', false]],
];

const CHUNK_ROWS: readonly Row[] = [
  ['mail: reset', reset('mail'), ['E_CLOSED', 'mail', 'not-sent', true]],
  ['rcpt: 5xx', says('rcpt', '550 5.1.1 no'), ['E_REPLY', 'rcpt', 'refused', false]],
  ['chunk: black hole', silence('bdat'), ['E_TIMEOUT', 'body', 'not-sent', true]],
  ['chunk: reset', reset('bdat'), ['E_CLOSED', 'body', 'not-sent', true]],
  ['chunk: half-close', fin('bdat'), ['E_CLOSED', 'body', 'not-sent', true]],
  ['chunk: garbage', garbage('bdat'), ['E_PROTOCOL', 'body', 'not-sent', false]],
  ['chunk: 4xx', says('bdat', '452 4.3.1 disk full'), ['E_REPLY', 'body', 'refused', true]],
  ['chunk: 5xx', says('bdat', '552 5.3.4 too big'), ['E_REPLY', 'body', 'refused', false]],
  ['chunk: 3yz', says('bdat', '354 more'), ['E_PROTOCOL', 'body', 'not-sent', false]],
  ['final reply: reset', reset('end-of-data'), ['E_CLOSED', 'end-of-data', 'unknown', false]],
  ['final reply: 5xx', says('end-of-data', '554 5.6.0 no'), ['E_REPLY', 'end-of-data', 'refused', false]],
];

const STARTTLS_ROWS: readonly Row[] = [
  ['starttls: black hole', silence('starttls'), ['E_TIMEOUT', 'starttls', 'not-sent', true]],
  ['starttls: reset', reset('starttls'), ['E_CLOSED', 'starttls', 'not-sent', true]],
  ['starttls: 4xx', says('starttls', '454 4.7.0 not now'), ['E_REPLY', 'starttls', 'refused', true]],
  ['starttls: 5xx', says('starttls', '502 5.5.1 no'), ['E_REPLY', 'starttls', 'refused', false]],
  ['starttls: injection', extra('starttls', '250-evil\r\n250 AUTH LOGIN'), ['E_INJECTION', 'starttls', 'not-sent', false]],
  ['starttls: 421 behind a refusal', { at: 'starttls', do: 'glue', reply: '502 5.5.1 no', extra: '421 4.3.2 shutting down\r\n' }, ['E_REPLY', 'starttls', 'refused', false]],
  ['starttls: 421 behind the reply', extra('starttls', '421 4.3.2 shutting down'), ['E_INJECTION', 'starttls', 'not-sent', false]],
  ['starttls: unexpected code', says('starttls', '250 ok'), ['E_PROTOCOL', 'starttls', 'not-sent', false]],
  ['tls: black hole', silence('tls'), ['E_TIMEOUT', 'tls', 'not-sent', true]],
  ['tls: reset', reset('tls'), ['E_TLS', 'tls', 'not-sent', true]],
  ['tls: clear text instead', garbage('tls'), ['E_TLS', 'tls', 'not-sent', false]],
];

const AUTH_ROWS: readonly Row[] = [
  ['auth: black hole', silence('auth'), ['E_TIMEOUT', 'auth', 'not-sent', true]],
  ['auth: reset', reset('auth'), ['E_CLOSED', 'auth', 'not-sent', true]],
  ['auth: 454', says('auth', '454 4.7.0 not now'), ['E_AUTH', 'auth', 'refused', true]],
  ['auth: 535', says('auth', '535 5.7.8 no'), ['E_AUTH', 'auth', 'refused', false]],
  ['auth: early success', says('auth', '235 ok'), ['E_PROTOCOL', 'auth', 'not-sent', false]],
  ['auth: unexpected code', says('auth', '250 ok'), ['E_PROTOCOL', 'auth', 'not-sent', false]],
];

const check = (rows: readonly Row[], options: Partial<SmtpOptions>, server: Parameters<typeof startServer>[0] = {}, message: Message = MESSAGE): void => {
  for (const [title, fault, [code, phase, outcome, retryable]] of rows) {
    it(`${title}: ${code} in ${phase}, ${outcome}`, async () => {
      await using peer = await startServer({ ...server, faults: [{ times: Infinity, ...fault }] });
      await using client = new SmtpClient({ host: peer.host, port: peer.port, security: ['none'], timeouts: code === 'E_TIMEOUT' ? LIMITS : PATIENCE, tls: { ca: peer.ca }, ...options });
      const { error, types } = await collect(client.send(message));
      expect({ code: error?.code, phase: error?.phase, outcome: error?.outcome, retryable: error?.retryable }).toEqual({ code, phase, outcome, retryable });
      expect(types).not.toContain('accepted');
      if (outcome === 'not-sent') expect(peer.messages).toHaveLength(0);
      await client.close();
      await peer.idle();
      expect(peer.connections).toBe(0);
    });
  }
};

describe('fault matrix', () => {
  describe('with PIPELINING', () => { check(ROWS, {}, WITHOUT_CHUNKS); });
  describe('in lock-step', () => { check(ROWS, { pipelining: false }, WITHOUT_CHUNKS); });
  describe('in a large content', () => { check(BODY_ROWS, {}, { ...WITHOUT_CHUNKS, size: 0 }, LARGE); });
  describe('all at once', () => { check(AT_ONCE_ROWS, {}, {}, { ...MESSAGE, raw: 'Subject: small\r\n\r\nHi\r\n' }); });
  describe('in chunks', () => { check(CHUNK_ROWS, {}, { size: 0 }, LARGE); });
  describe('STARTTLS', () => { check(STARTTLS_ROWS, { security: ['starttls'] }); });
  describe('over TLS', () => { check(ROWS.filter(([title]) => /: (reset|half-close|421)$/.test(title) && !title.startsWith('greeting')), { security: ['starttls'], pipelining: false }); });
  describe('AUTH', () => { check(AUTH_ROWS, { auth: { user: 'ann', pass: 'open sesame' }, allowedAuthentication: ['CRAM-MD5'] }, { users: { ann: 'open sesame' } }); });

  it('stands in docs/fault-matrix.md', async () => {
    const sections = {
      'STARTTLS and the handshake': STARTTLS_ROWS, 'Signing in': AUTH_ROWS, 'A mail behind DATA': ROWS, 'Inside a large content behind DATA': BODY_ROWS,
      'A mail in one write (CHUNKING)': AT_ONCE_ROWS, 'A large content in chunks (CHUNKING)': CHUNK_ROWS,
    };
    const tables = Object.entries(sections).map(([title, rows]) => `## ${title}\n\n${table(['fault', 'code', 'phase', 'outcome', 'retryable'], rows.map(([fault, , [code, phase, outcome, retryable]]) =>
      [fault, `\`${code}\``, `\`${phase}\``, `\`${outcome}\``, retryable ? 'yes' : 'no']))}`);
    await expect(pageWith('docs/fault-matrix.md', 'matrix', tables.join('\n\n'))).toMatchFileSnapshot('../../docs/fault-matrix.md');
  });

  it('extra replies behind the final one: the first counts, the connection is not used again', async () => {
    await using peer = await startServer({ ...WITHOUT_CHUNKS, faults: [{ at: 'end-of-data', do: 'glue', extra: '250 again\r\n' }] });
    await using client = new SmtpClient({ host: peer.host, port: peer.port, security: ['none'], timeouts: LIMITS });
    expect((await collect(client.send(MESSAGE))).error).toBeUndefined();
    expect((await collect(client.send(MESSAGE))).error).toBeUndefined();
    expect(peer.sessions).toHaveLength(2);
    expect(peer.messages).toHaveLength(2);
  });

  it('a QUIT that is never answered changes nothing', async () => {
    await using peer = await startServer({ faults: [{ at: 'quit', do: 'silence' }] });
    await using client = new SmtpClient({ host: peer.host, port: peer.port, security: ['none'], timeouts: LIMITS, pool: false });
    const { types, error } = await collect(client.send(MESSAGE));
    expect(error).toBeUndefined();
    expect(types.at(-1)).toBe('accepted');
  });
});
