import { describe, expect, it } from 'vitest';
import { bdat, ehlo, mailFrom, type Command } from '../../src/protocol/command.js';
import { makeReply } from '../../src/protocol/reply.js';
import { Failures, waitingFor, type Failure } from '../../src/wire/failures.js';
import type { Transcript } from '../../src/wire/transcript.js';

const failures = new Failures('mail.example:25', { lines: () => [] } as unknown as Transcript);
const cause = (code?: string): NodeJS.ErrnoException => Object.assign(new Error('gone'), code === undefined ? {} : { code });
const MAIL = mailFrom('ann@example.com');
const LAST = bdat(5, true);

describe('a connection that is lost', () => {
  it.each<[string, Error | undefined, Command, object, string]>([
    ['in good order', undefined, MAIL, { code: 'E_CLOSED', reason: 'closed', outcome: 'not-sent', retryable: true }, 'mail.example:25 closed the connection before it answered MAIL FROM:<ann@example.com>. The mail was not sent; try again later.'],
    ['by its system', cause('ECONNRESET'), MAIL, { code: 'E_CLOSED', reason: 'ECONNRESET', outcome: 'not-sent', retryable: true }, 'mail.example:25 was lost (ECONNRESET) before it answered MAIL'],
    ['without a code', cause(), MAIL, { code: 'E_CLOSED', reason: 'closed' }, 'mail.example:25 was lost (gone) before'],
    ['with a number for a code', new DOMException('This operation was aborted', 'AbortError'), MAIL, { code: 'E_CLOSED', reason: 'closed' }, 'mail.example:25 was lost (This operation was aborted) before'],
    ['behind the end of content', undefined, LAST, { code: 'E_CLOSED', outcome: 'unknown', retryable: false }, 'mail.example:25 closed the connection before it answered BDAT 5 LAST. '],
    ['by an alert where the first reply is due', cause('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), ehlo('client'), { code: 'E_TLS', reason: 'client-certificate', phase: 'tls' }, 'mail.example:25 refused the TLS handshake in the end'],
    ['by an alert later on', cause('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), MAIL, { code: 'E_CLOSED', phase: 'mail' }, 'mail.example:25 was lost (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)'],
  ])('%s', (_, reason, command, expected, words) => {
    const error = failures.lost(reason, true)(command.phase, command);
    expect(error).toMatchObject(expected);
    expect(error.message).toContain(words);
    expect(error.cause).toBe(reason);
  });
});

describe('a server that breaks the protocol', () => {
  const elsewhere = 'check the host and port.';
  const inDoubt = 'The mail may or may not have been accepted; a retry may deliver it twice. ';
  const broken = 'The server is broken or out of step; ask its operator.';
  it.each<[string, Failure, Command, string]>([
    ['may be none of SMTP until it has introduced itself', failures.malformed(ehlo('client'), 'too long'), ehlo('client'), `no SMTP reply: too long. It is no SMTP server, or a broken one; ${elsewhere}`],
    ['is one of SMTP from then on', failures.malformed(MAIL, 'too long'), MAIL, `no SMTP reply: too long. ${broken}`],
    ['leaves a mail in doubt', failures.malformed(MAIL, 'too long'), LAST, ` answered MAIL FROM:<ann@example.com> with what is no SMTP reply: too long. ${inDoubt}${broken}`],
    ['leaves it in doubt unasked', failures.unasked(), LAST, `nothing had asked for. ${inDoubt}${broken}`],
    ['leaves it in doubt out of step', failures.outOfStep(MAIL, makeReply(354, ['go'])), LAST, `out of step with what was asked. ${inDoubt}Set "pipelining" to false for this server.`],
  ])('%s', (_, failure, command, words) => {
    const { message } = failure(command.phase, command);
    expect(message.endsWith(words), message).toBe(true);
    expect(message.includes(elsewhere)).toBe(command.phase === 'hello');
  });
});

it('what is waited for is the reply that is due first, with what is on its way behind it', () => {
  expect(waitingFor('mail.example:25', MAIL)).toBe('Waiting for mail.example:25 to answer MAIL FROM:<ann@example.com>');
  expect(waitingFor('mail.example:25', LAST, MAIL)).toBe('Waiting for mail.example:25 to answer MAIL FROM:<ann@example.com>, with BDAT 5 LAST on its way behind it');
});
