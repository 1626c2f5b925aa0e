import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/message/message.js';
import { planEnvelope, type EnvelopePlan } from '../../src/session/envelope-plan.js';
import { mailOf } from '../support/drafted.js';
import { FakeStream } from '../support/fake-stream.js';
import { sessionOn, wireOn } from '../support/fake-wire.js';

const ALL = ['SIZE 100', '8BITMIME', 'SMTPUTF8', 'DSN', 'PIPELINING', 'CHUNKING', 'BINARYMIME'];

const planned = async (offers: readonly string[], { to = ['bob@example.org'], ...message }: Partial<Extract<Message, { raw: unknown }>> & { to?: readonly unknown[] }): Promise<EnvelopePlan> => {
  const mail = await mailOf({ envelope: { from: 'ann@example.com', to }, raw: 'é', ...message });
  return planEnvelope(sessionOn(wireOn(new FakeStream(NEVER)), offers), mail, mail.open(), undefined);
};

async function* stream(): AsyncGenerator<string> { await Promise.resolve(); yield 'é'; }

describe('MAIL and RCPT', () => {
  const from = 'MAIL FROM:<ann@example.com>';
  const to = 'RCPT TO:<bob@example.org>';
  const twice = { address: 'bob@example.org', notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;b+b=1@example.org' };

  it.each<[string, readonly string[], Parameters<typeof planned>[1], string, string]>([
    ['say nothing that is not offered', [], { raw: 'plain', dsn: { ret: 'HDRS', envid: 'a', notify: ['DELAY'] }, to: [twice] }, '', ''],
    ['say nothing of one that is not offered', [], { raw: 'plain', to: [twice] }, '', ''],
    ['say no more than is needed', ALL, { raw: 'plain' }, ' SIZE=7', ''],
    ['tell of bytes above 127', ALL, {}, ' SIZE=4 BODY=8BITMIME', ''],
    ['tell what a stream may hold', ALL, { raw: stream }, ' BODY=8BITMIME', ''],
    ['tell the size that is given for a stream', ALL, { raw: stream, size: 5 }, ' SIZE=5 BODY=8BITMIME', ''],
    ['tell of binary content, which is not mended', ALL, { raw: 'a\nb', binary: true }, ' SIZE=3 BODY=BINARYMIME', ''],
    ['tell of a header in UTF-8', ALL, { raw: 'plain', smtpUtf8: true }, ' SIZE=7 SMTPUTF8', ''],
    ['ask for a status of all', ALL, { raw: 'plain', dsn: { notify: ['DELAY'] } }, ' SIZE=7', ' NOTIFY=DELAY'],
    ['ask for the header back', ALL, { raw: 'plain', dsn: { ret: 'HDRS' } }, ' SIZE=7 RET=HDRS', ''],
    ['name the envelope', ALL, { raw: 'plain', dsn: { envid: 'a b+=' } }, ' SIZE=7 ENVID=a+20b+2B+3D', ''],
    ['ask for a status of one, before what is asked of all', ALL, { raw: 'plain', dsn: { ret: 'FULL', notify: ['NEVER'] }, to: [twice] }, ' SIZE=7 RET=FULL', ' NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bb+3D1@example.org'],
  ])('%s', async (what, offers, message, ofMail, ofRcpt) => {
    const { commands, warnings, failure } = await planned(offers, message);
    expect(commands.map(String)).toEqual([from + ofMail, to + ofRcpt]);
    expect(warnings.map(({ code }) => code)).toEqual(what.endsWith('that is not offered') ? ['W_DSN'] : []);
    expect(failure).toBeUndefined();
  });
});

describe('what is planned', () => {
  const ABROAD = ['josé@example.org', 'bob@example.org'];

  it.each<[string, readonly string[], Parameters<typeof planned>[1], object]>([
    ['plain content goes out in one write', [], { raw: 'plain' }, { eightBit: false, impossible: [], failure: undefined }],
    ['bytes above 127 need 8BITMIME', [], {}, { failure: { code: 'E_SOURCE' } }],
    ['or SMTPUTF8, where that is asked for', ['SMTPUTF8'], { smtpUtf8: true }, { eightBit: true, failure: undefined }],
    ['which is not asked for without need', ['SMTPUTF8'], {}, { failure: { code: 'E_SOURCE' } }],
    ['SMTPUTF8 is not to be had', ['8BITMIME'], { smtpUtf8: true }, { failure: { code: 'E_USAGE', message: expect.stringContaining('which "smtpUtf8" asks for. Write the header in ASCII') as string } }],
    ['binary content is', ALL, { raw: 'a\nb', binary: true }, { chunks: true, failure: undefined }],
    ['binary content is not', ['BINARYMIME'], { raw: 'a\nb', binary: true }, { chunks: false, failure: { code: 'E_USAGE', message: expect.stringContaining('takes no binary content') as string } }],
    ['as much as fits into one write', [], { raw: 'x'.repeat(262_142) + '\r\n' }, { size: 262_144, failure: undefined }],
    ['more than fits into one write', [], { raw: 'x'.repeat(262_143) + '\r\n' }, { size: 262_145, whole: undefined, failure: undefined }],
    ['nobody who can be told to this server', [], { raw: 'plain', to: ABROAD.slice(0, 1) }, { recipients: [], impossible: [{ given: ABROAD[0] }], whole: undefined }],
    ['one of two who can be told to this server', [], { raw: 'plain', to: ABROAD }, { recipients: [{ given: ABROAD[1] }], impossible: [{ given: ABROAD[0] }], failure: undefined }],
    ['all who can be told to a server with SMTPUTF8', ['SMTPUTF8'], { raw: 'plain', to: ABROAD }, { recipients: ABROAD.map((given) => ({ given })), impossible: [] }],
    ['as much as the server takes', ['SIZE 7'], { raw: 'plain' }, { size: 7, failure: undefined }],
    ['more than the server takes', ['SIZE 6'], { raw: 'plain' }, { failure: { code: 'E_USAGE', phase: 'mail' } }],
    ['a stream that is told to be more than the server takes', ['SIZE 6'], { raw: stream, size: 7 }, { failure: { phase: 'mail' } }],
    ['a stream of any size', ['SIZE 6'], { raw: stream }, { size: undefined, whole: undefined, failure: undefined }],
  ])('%s', async (_, offers, message, expected) => {
    const plan = await planned(offers, message);
    expect(plan).toMatchObject(expected);
    if (!('whole' in expected) && plan.failure === undefined) expect(plan.whole?.length).toBe(plan.size);
  });
});
