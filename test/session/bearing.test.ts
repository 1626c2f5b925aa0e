import { expect, it } from 'vitest';
import { SmtpProtocolError, SmtpReplyError, SmtpTimeoutError, type Phase } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import type { Limit } from '../../src/protocol/timeouts.js';
import { Bearing } from '../../src/session/bearing.js';

const reply = (code: number, phase: Phase) => new SmtpReplyError({ phase, command: '', message: '', reply: makeReply(code, ['no']) });
const silence = (phase: Phase, limit: Limit = 'command') => new SmtpTimeoutError({ limit, phase, elapsed: 1, message: '' });
const confusion = new SmtpProtocolError('E_PROTOCOL', { phase: 'rcpt', message: '' });

type Mail = (bearing: Bearing) => void;
const took: Mail = (bearing) => { bearing.succeeded(true, false); };
const tookOneByOne: Mail = (bearing) => { bearing.succeeded(false, false); };
const tookAhead: Mail = (bearing) => { bearing.succeeded(true, true); };
const refusedAhead: Mail = (bearing) => { bearing.refusedAhead(); };
const hungUp = (known: number): Mail => (bearing) => {
  bearing.hungUpAhead(known);
  if (bearing.hangsUpAhead) bearing.refusedAhead();
};
const ahead = (error: unknown): Mail => (bearing) => { bearing.failedAhead(error); };
const alone = (error: unknown): Mail => (bearing) => { bearing.failedInGroup(error); };
const oneByOne = (error: unknown): Mail => (bearing) => { bearing.failedOneByOne(error); };

it.each<[string, readonly Mail[], 'mails' | 'commands' | 'nothing']>([
  ['what is announced is borne, until it is found not to be', [], 'mails'],
  ['a mail that is refused says nothing of it', [ahead(reply(550, 'rcpt')), alone(reply(550, 'rcpt'))], 'mails'],
  ['a mail that was turned away for being ahead does', [refusedAhead], 'commands'],
  ['so does a lost count behind others', [ahead(confusion)], 'commands'],
  ['so does silence behind others', [ahead(silence('mail'))], 'commands'],
  ['but not of a server that has answered such a mail', [tookAhead, ahead(silence('mail'))], 'mails'],
  ['however long ago that was', [tookAhead, took, ahead(silence('mail'))], 'mails'],
  ['which may lose count all the same', [tookAhead, ahead(confusion)], 'commands'],
  ['a hang-up may be chance', [hungUp(0)], 'mails'],
  ['on several connections at a time', [hungUp(0), hungUp(0), hungUp(0)], 'mails'],
  ['but not on the next one', [hungUp(0), hungUp(1)], 'commands'],
  ['unless the server has answered such a mail', [tookAhead, hungUp(0), hungUp(1)], 'mails'],
  ['a time that is too short is no silence', [ahead(silence('mail', 'operation'))], 'mails'],
  ['what is no SmtpError says nothing', [ahead(new Error('mine')), alone(new Error('mine'))], 'mails'],
  ['503 behind a command says that commands are not borne', [alone(reply(503, 'rcpt'))], 'nothing'],
  ['503 to the first command does not', [alone(reply(503, 'mail'))], 'mails'],
  ['503 to the first command does, where mails are not borne', [refusedAhead, alone(reply(503, 'mail'))], 'nothing'],
  ['mails of the same burst that were ahead are no further news', [alone(reply(503, 'rcpt')), refusedAhead], 'nothing'],
  ['a lost count does, where mails are not borne', [refusedAhead, alone(confusion)], 'nothing'],
  ['a lost count of a mail that is alone does not', [alone(confusion)], 'mails'],
  ['a refusal does not, where mails are not borne', [refusedAhead, alone(reply(550, 'rcpt'))], 'commands'],
  ['silence behind a command does', [alone(silence('rcpt'))], 'nothing'],
  ['silence behind the recipients does', [alone(silence('data'))], 'nothing'],
  ['silence to the first command does not', [alone(silence('mail'))], 'mails'],
  ['silence to the content does not', [alone(silence('end-of-data'))], 'mails'],
  ['silence of a server that bore commands does not', [took, alone(silence('rcpt'))], 'mails'],
  ['nor where it has got one mail one by one since', [took, tookOneByOne, alone(silence('rcpt'))], 'mails'],
  ['silence of a server that took a mail one by one does', [tookOneByOne, alone(silence('rcpt'))], 'nothing'],
  ['no time left behind a command does not', [alone(silence('rcpt', 'operation'))], 'mails'],
  ['503 without any command ahead takes it back', [alone(reply(503, 'rcpt')), oneByOne(reply(503, 'rcpt'))], 'mails'],
  ['as far as it went before', [refusedAhead, alone(reply(503, 'rcpt')), oneByOne(reply(503, 'rcpt'))], 'commands'],
  ['also where others of the same burst were turned away', [alone(reply(503, 'rcpt')), alone(reply(503, 'rcpt')), oneByOne(reply(503, 'rcpt'))], 'mails'],
  ['once', [alone(reply(503, 'rcpt')), oneByOne(reply(503, 'rcpt')), refusedAhead, oneByOne(reply(503, 'rcpt'))], 'commands'],
  ['but another failure does not', [alone(reply(503, 'rcpt')), oneByOne(reply(550, 'rcpt'))], 'nothing'],
  ['nor is silence taken back', [alone(silence('rcpt')), oneByOne(reply(503, 'rcpt'))], 'nothing'],
])('%s', (_, mails, ahead) => {
  const bearing = new Bearing();
  expect(bearing.isProven).toBe(false);
  for (const mail of mails) mail(bearing);
  expect([bearing.bearsMails, bearing.bearsCommands]).toEqual([ahead === 'mails', ahead !== 'nothing']);
  expect(bearing.isProven).toBe(mails.includes(tookAhead));
});
