import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import type { LogLine, SmtpOptions } from '../../src/index.js';
import { startServer, type Fault } from '../../src/testing/index.js';
import { MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { base64, clientOf, verify } from '../support/sign-in.js';

const PASS = 'hunter2-correct-horse';
const BLOB = base64(`\0ann\0${PASS}`);

const at = (place: 'auth' | 'mail', reply: string): Fault => ({ at: place, do: 'reply', reply });

it.each<[string, Fault, readonly string[]]>([
  ['a challenge over two lines', at('auth', '334-hunter2-cor\r\n334 rect-horse'), ['hunter2', 'horse']],
  ['a challenge of base64 over two lines', at('auth', `334-${BLOB.slice(0, 14)}\r\n334 ${BLOB.slice(14)}`), [BLOB.slice(0, 14), BLOB.slice(14)]],
  ['an indented no over two lines', at('auth', '535-5.7.8    hunter2-cor\r\n535 5.7.8    rect-horse'), ['hunter2', 'horse']],
  ['a no over two lines, and a blank at the end of the first', at('auth', '535-hunter2-cor \r\n535 rect-horse'), ['hunter2', 'horse']],
  ['a yes over two lines', at('auth', '235-hello hunter2-cor\r\n235 rect-horse'), ['hunter2', 'horse']],
  ['an answer to MAIL over two lines', at('mail', '250-hunter2-cor\r\n250 rect-horse'), ['hunter2', 'horse']],
  ['a line that was cut short', at('auth', `500 line too long: AUTH PLAIN ${BLOB.slice(0, -4)}`), [BLOB.slice(0, -4), BLOB.slice(4, 16)]],
])('the password is nowhere in what is told of %s', async (_, fault, parts) => {
  await using server = await startServer({ users: { ann: PASS }, mechanisms: ['PLAIN'], faults: [fault] });
  await using client = clientOf(server, { auth: { user: 'ann', pass: PASS } });
  const log: LogLine[] = [];
  client.log$.subscribe((line) => { log.push(line); });
  const { events, error } = await collect(client.send(MAIL));
  const text = inspect([log, events, error, error?.transcript], { depth: 12 });
  expect(text).toContain('***');
  for (const part of parts) expect(text).not.toContain(part);
});

const HOST = 'mailout-relay.eu-west.example.com';
const USER = 'ann=department-of-communication@example.com';

it.each<[string, string, Partial<SmtpOptions>, string, string]>([
  ['the host', 'OAUTHBEARER', { auth: { user: 'ann', token: PASS } }, '', HOST],
  ['the realm', 'DIGEST-MD5', { auth: { user: 'ann', pass: PASS }, allowedAuthentication: ['DIGEST-MD5'] }, 'realm="a-realm-of-many-words",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8', 'a-realm-of-many-words'],
  ['a part of the user name', 'XOAUTH2', { auth: { user: USER, token: PASS } }, '', 'department-of-communication@example.com'],
])('%s is no secret, though it was said in %s', async (_, name, options, challenge, word) => {
  const answer = `535 5.7.8 ${word} does not know ${PASS}`;
  await using server = await startServer({ signIn: { [name]: async (ask) => { await ask(challenge); return undefined; } }, faults: [{ at: challenge === '' ? 'auth' : 'auth-response', do: 'reply', reply: answer }] });
  const { error } = await verify(server, { host: HOST, lookup: (_host, _options, found) => { found(null, [{ address: '127.0.0.1', family: 4 }]); }, allowInsecureAuth: true, ...options });
  expect(error?.reply?.lines).toEqual([`5.7.8 ${word} does not know ***`]);
});

it('a token of a function is hidden also where it is short, and as a URL has it', async () => {
  await using server = await startServer({ signIn: { XOAUTH2: () => Promise.resolve(undefined) }, faults: [{ at: 'auth', do: 'reply', reply: '535 5.7.8 tok/en+12 is none, nor is tok%2Fen%2B12', times: 2 }] });
  const { error } = await verify(server, { allowInsecureAuth: true, auth: { user: 'ann', token: () => ['tok/en+12'] } });
  expect(error?.reply?.lines).toEqual(['5.7.8 *** is none, nor is ***']);
});
