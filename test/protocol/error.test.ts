import { isNativeError } from 'node:util/types';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import * as errors from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import { takesNoTime } from '../support/takes-no-time.js';

type Errors = typeof errors;

const minified = async (): Promise<Errors> => {
  const { outputFiles: [bundle] } = await build({ entryPoints: ['src/protocol/error.ts'], bundle: true, minify: true, format: 'esm', write: false });
  return await import(`data:text/javascript;base64,${Buffer.from(bundle!.contents).toString('base64')}`) as Errors;
};

const everyError = (from: Errors): readonly errors.SmtpError[] => {
  const details = { phase: 'mail', message: 'why' } as const;
  const cause = new from.SmtpSourceError(details);
  const receipt = { accepted: [], envelope: { from: null, to: [] } } as unknown as errors.SmtpPartialError['receipt'];
  return [
    cause,
    new from.SmtpUsageError(details),
    new from.SmtpConnectionError('E_DNS', { ...details, reason: 'ENOTFOUND' }),
    new from.SmtpTimeoutError({ ...details, limit: 'command', elapsed: 1 }),
    new from.SmtpProtocolError('E_PROTOCOL', details),
    new from.SmtpReplyError({ ...details, reply: makeReply(550, ['no']), command: 'MAIL' }),
    new from.SmtpAuthenticationError({ ...details, offered: [], allowed: [], tried: [] }),
    new from.SmtpPartialError({ cause, receipt, inDoubt: [], unsent: [] }),
    new from.SmtpFallbackError([]),
  ];
};

describe('a sentence', () => {
  it.each([
    ['no such row', 'no such row.'],
    ['Gone. . .\n', 'Gone.'],
    ['', '.'],
    ['x'.repeat(1000), `${'x'.repeat(1000)}.`],
    ['x'.repeat(1001), `${'x'.repeat(1000)}...`],
    [`${'x'.repeat(999)}\u{1f511}`, `${'x'.repeat(999)}\ufffd...`],
  ])('of %j', (text, expected) => {
    expect(errors.sentence(text)).toBe(expected);
  });

  it.each(['.', ' ', '. ', '.x'])('is made at once of many %j', async (part) => {
    await takesNoTime(() => errors.sentence(`${part.repeat(200_000)}x`));
  });
});

describe('a reason', () => {
  it.each<[unknown, string]>([
    [new Error('no row'), 'no row'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new DOMException('', 'AbortError'), 'AbortError'],
    [Object.assign(new RangeError(), { code: 7 }), 'RangeError'],
    [new Error('Gone\n  2026-11-28 \u001b[2JERROR root logged in\n'), 'Gone 2026-11-28 \\u{1b}[2JERROR root logged in'],
    [undefined, 'undefined'],
    [Object.create(null), 'it threw what has no text'],
  ])('of %o', (cause, reason) => {
    expect(errors.reasonOf(cause)).toBe(reason);
  });
});

describe('an error', () => {
  it('has the name of its class, in a minified bundle as well', async () => {
    const names = everyError(errors).map(({ name }) => name);
    expect(names).toEqual(everyError(errors).map((error) => error.constructor.name));
    expect(new Set(names).size).toBe(Object.keys(errors).filter((name) => name.startsWith('Smtp')).length - 1);
    expect(everyError(await minified()).map(({ name }) => name)).toEqual(names);
  });

  it('has its text in JSON as well', () => {
    for (const error of everyError(errors)) {
      const { name, message, code, phase, outcome } = error;
      expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name, message, code, phase, outcome });
    }
  });

  it('has no field without a value', () => {
    for (const error of everyError(errors)) expect(Object.values(error)).not.toContain(undefined);
  });

  it('has a copy that is the same and another', () => {
    for (const error of [...everyError(errors), new errors.SmtpUsageError({ message: 'why', cause: new Error('gone') })]) {
      const copy = errors.copyOf(error);
      expect(copy).toEqual(error);
      expect([copy.constructor, isNativeError(copy), Object.keys(copy), copy.cause]).toEqual([error.constructor, true, Object.keys(error), error.cause]);
      expect(copy).not.toBe(error);
    }
  });

  it('is in doubt once the end of the content has left, and then no retry is safe', () => {
    const late = (phase: errors.Phase) => new errors.SmtpTimeoutError({ phase, limit: 'operation', elapsed: 1, message: 'late' });
    expect([late('body'), late('end-of-data')].map(({ outcome, retryable }) => [outcome, retryable])).toEqual([['not-sent', true], ['unknown', false]]);
  });

  it('of all doors may be tried again where that of one may', () => {
    const [no, later] = [false, true].map((retryable) => ({ plan: { host: 'mail.example', port: 25, security: 'none' as const }, error: new errors.SmtpConnectionError('E_CONNECT', { phase: 'connect', reason: 'x', message: 'why', retryable }), elapsed: 1 }));
    expect([[no!, later!], [later!, no!], [no!]].map((attempts) => new errors.SmtpFallbackError(attempts).retryable)).toEqual([true, true, false]);
  });

  it('of all doors has the phase and the transcript of the last', () => {
    const transcript = [{ direction: 'in', text: '220 mail.example' }] as unknown as errors.SmtpError['transcript'];
    const attempts = (['connect', 'greeting'] as const).map((phase) => ({ plan: { host: 'mail.example', port: 25, security: 'none' as const }, error: new errors.SmtpProtocolError('E_PROTOCOL', { phase, transcript, message: 'why' }), elapsed: 1 }));
    expect(new errors.SmtpFallbackError(attempts)).toMatchObject({ phase: 'greeting', transcript });
  });

  it('of all doors tells once what is the same at one port', () => {
    const [none, refused] = [['no answer'], ['no TLS']].map(([message = '']) => new errors.SmtpConnectionError('E_CONNECT', { phase: 'connect', reason: 'x', message: `${message}.` }));
    const attempts = ([[587, 'starttls', none], [25, 'starttls', refused], [587, 'none', none]] as const).map(([port, security, error]) => ({ plan: { host: 'mail.example', port, security }, error: error!, elapsed: 1 }));
    expect(new errors.SmtpFallbackError(attempts).message).toContain('mail.example:587 (STARTTLS), connect, 1 ms: no answer. | mail.example:25 (STARTTLS), connect, 1 ms: no TLS. | mail.example:587 (clear text): the same as mail.example:587 (STARTTLS). Check the host');
  });

  it('of one recipient counts the others, as often as it is told', () => {
    const reply = makeReply(550, ['no']);
    const error = new errors.SmtpReplyError({ phase: 'rcpt', reply, command: 'RCPT TO:<b@example.org>', recipient: 'b@example.org', message: 'The server refused RCPT TO:<b@example.org>: no.' });
    const refused = ['b', 'c', 'd'].map((recipient) => ({ recipient, reply }));
    expect(errors.withRefused(error, refused.slice(1)).message).toBe('The server refused RCPT TO:<b@example.org> and 1 more: no.');
    expect(errors.withRefused(error, refused).message).toBe('The server refused RCPT TO:<b@example.org> and 2 more: no.');
  });
});
