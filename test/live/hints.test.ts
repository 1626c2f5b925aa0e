import { expect, it } from 'vitest';
import { SmtpClient } from '../../src/index.js';
import { startServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { certificateOf } from '../support/tls-server.js';

it.each([
  ['ehlo', '421 4.3.2 Busy', 'none', 'Send it again later.'],
  ['ehlo', '550 5.7.1 Not you', 'none', '"clientName"'],
  ['ehlo', '504 5.5.2 <shop>: Helo command rejected: need fully-qualified hostname', 'starttls', '"clientName"'],
  ['ehlo', '502 5.5.1 Not implemented', 'starttls', 'It does not know EHLO, and so has no STARTTLS. Use its port for implicit TLS (465), or security: "none"'],
  ['ehlo', '500 5.5.1 Command unrecognized: "XXXX shop.example.com"', 'starttls', 'A firewall seems to rewrite what is said'],
  ['greeting', '421 4.3.2 Service temporarily unavailable', 'none', 'Try again later. If it goes on, try another server'],
  ['greeting', '554 5.7.1 Not you', 'none', 'The server takes no mail from here;'],
  ['mail', '530 5.7.0 Must issue a STARTTLS command first', 'none', 'It wants TLS first'],
  ['mail', '530 5.7.0 Authentication required', 'none', 'whether "auth" is needed'],
  ['mail', '530 5.7.0 Not by TLS alone', 'starttls', 'whether "auth" is needed'],
  ['mail', '452 4.3.1 Quota exceeded.', 'none', ': 452 4.3.1 Quota exceeded. Send it again later.'],
  ['mail', '552 Message too big', 'none', 'Send less'],
  ['mail', '552 5.3.4 Message too big', 'none', 'Send less'],
  ['mail', '552 5.2.2 Mailbox full', 'none', 'Check the sender'],
  ['end-of-data', '552 5.3.4 Message too big', 'none', 'Send less'],
  ['greeting', '421 4.7.1 No client certificate presented', 'none', '"tls.cert"'],
  ['ehlo', '421 4.7.1 No client certificate presented', 'none', '"tls.cert"'],
  ['rcpt', '530 5.7.0 Authentication required', 'none', 'whether "auth" is needed'],
  ['rcpt', '550 5.1.1 No such user', 'none', 'Check the recipient'],
  ['rcpt', '554 5.7.1 <bob@example.org>: Relay access denied', 'none', 'whether the server takes mail from this client'],
  ['mail', '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org', 'none', 'whether the server takes mail from this client'],
  ['mail', '552 5.2.3 Message exceeds maximum size', 'none', 'Send less'],
  ['mail', '550 5.4.5 Daily user sending limit exceeded', 'none', 'have its limit raised'],
  ['end-of-data', '454 Throttling failure: Maximum sending rate exceeded', 'none', '"pool.rate"'],
  ['data', '550 5.7.0 Requested action not taken: too many emails per second', 'none', '"pool.rate"'],
  ['greeting', '421 4.3.2 Too many concurrent SMTP connections', 'none', '"pool.maxConnections"'],
  ['ehlo', '421 4.7.0 Try again later, closing connection. (EHLO)', 'none', 'If it goes on, set "clientName"'],
  ['rcpt', '553 5.5.3 Too many recipients', 'none', 'to fewer recipients'],
] as const)('a refusal at %s says what may help: %s, with security %s', async (at, reply, security, hint) => {
  await using server = await startServer({ without: at === 'data' ? ['CHUNKING'] : [], faults: [{ at, do: 'reply', reply }] });
  await using client = new SmtpClient({ host: 'localhost', port: server.port, security, tls: { ca: server.ca }, timeouts: { quit: 100 } });
  expect((await collect(client.send(MAIL))).error?.message).toContain(hint);
});

it.each([
  ['mail', '550 5.1.0 Address rejected', 'whether this account may send as it.'],
  ['rcpt', '554 5.7.1 <bob@example.org>: Relay access denied', 'Check what this account may send'],
] as const)('a refusal at %s does not ask for the sign-in that there was: %s', async (at, reply, hint) => {
  await using server = await startServer({ users: { ann: 'open sesame' }, faults: [{ at, do: 'reply', reply }] });
  await using client = clientOf(server, { auth: { user: 'ann', pass: 'open sesame' }, allowInsecureAuth: true });
  expect((await collect(client.send(MAIL))).error?.message).toContain(hint);
});

it('a certificate that is missing would be missing the next time', async () => {
  await using server = await startServer({ faults: [{ at: 'greeting', do: 'reply', reply: '421 4.7.1 No client certificate presented' }] });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_REPLY', retryable: false });
});

it.each([
  ['implicit', { at: 'greeting' }, 'greeting', true], ['starttls', { at: 'ehlo', skip: 1 }, 'hello', true],
  // It took the certificate when it greeted.
  ['implicit', { at: 'ehlo' }, 'hello', false],
] as const)('a server that hangs up over TLS may not accept the certificate that it was shown: %s, %j', async (door, fault, phase, perhaps) => {
  for (const tls of [{}, certificateOf('client')]) {
    await using server = await startServer({ tls: door, faults: [{ ...fault, do: 'close' }] });
    await using client = new SmtpClient({ host: 'localhost', port: server.port, security: door, tls: { ca: server.ca, ...tls } });
    const { error } = await collect(client.send(MAIL));
    expect(error).toMatchObject({ code: 'E_CLOSED', phase, retryable: true });
    expect(error?.message.includes('"tls.cert"')).toBe(perhaps && 'cert' in tls);
  }
});

it('a sign-in that is offered over TLS only says so', async () => {
  await using server = await startServer();
  await using client = clientOf(server, { auth: { user: 'ann', pass: 'open sesame' } });
  expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_AUTH', message: expect.stringContaining('set "security" to "starttls"') as string });
});

it.each([['starttls', 'does not offer STARTTLS'], ['none', 'offers no authentication here']] as const)('what a firewall has crossed out is told as that, with security %s', async (security, what) => {
  for (const offers of [['XXXXXXXA'], ['XVERP']]) {
    await using server = await startServer({ tls: 'none', offers });
    await using client = clientOf(server, { security, auth: { user: 'ann', pass: 'open sesame' } });
    const { error } = await collect(client.send(MAIL));
    expect(error?.message).toContain(what);
    expect(error?.message.includes('A firewall seems to rewrite what is said')).toBe(offers[0] === 'XXXXXXXA');
  }
});

it.each(['command', 'operation'] as const)('a small mail that is on its way when timeouts.%s runs out is in doubt, and the command that was not answered is named', async (limit) => {
  await using server = await startServer({ faults: [{ at: 'mail', do: 'silence' }] });
  await using client = clientOf(server, { timeouts: { [limit]: 400, quit: 50 } });
  const { error } = await collect(client.send(MAIL));
  expect(error).toMatchObject({ limit, phase: 'end-of-data', outcome: 'unknown' });
  expect(error?.message).toMatch(/^Waiting for \S+ to answer MAIL FROM:<ann@example\.com>.*, with BDAT \d+ LAST on its way behind it: .*; a retry may deliver it twice\. Raise that limit\./);
});

it('an answer to content that is none leaves it in doubt, and the host and port were right', async () => {
  await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'end-of-data', do: 'reply', reply: '354 go ahead' }] });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_PROTOCOL', outcome: 'unknown', message: expect.stringMatching(/which is no answer to it\. The mail may or may not have been accepted; a retry may deliver it twice\. The server is broken/) as string });
});

it('an answer that is no reply is told of the command that it answers, also with the content on its way behind that', async () => {
  await using server = await startServer({ faults: [{ at: 'mail', do: 'reply', reply: '271 fine' }] });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL))).error).toMatchObject({ code: 'E_PROTOCOL', phase: 'end-of-data', outcome: 'unknown', message: expect.stringMatching(/ answered MAIL FROM:<ann@example\.com>.* with what is no SMTP reply: /) as string });
});

it('a server that hangs up without a word is said to have given no greeting', async () => {
  await using server = await startServer({ faults: [{ at: 'greeting', do: 'close' }] });
  await using client = clientOf(server);
  expect((await collect(client.send(MAIL))).error?.message).toContain('closed the connection before its greeting.');
});
