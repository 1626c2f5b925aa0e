import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { bdat, mailFrom, rcptTo, RSET, type Command } from '../../src/protocol/command.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { converse } from '../../src/wire/exchange.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';

const ENVELOPE = [mailFrom('ann@example.com'), rcptTo('bob@example.org')];
const CONTENT = Buffer.from('Hi\r\n');

/** A wire on which mails are sent with their content, and a server that says what a test wants. */
const open = () => {
  const server = new Subject<Buffer>();
  const told: string[] = [];
  const wire = wireOn(new FakeStream(server));
  const send = (name: string, ...commands: readonly Command[]): void => {
    converse(wire, [...commands, bdat(CONTENT.length, true)], deadline(monotonic, 'operation', Infinity), {
      next: () => undefined,
      error: ({ code, phase, outcome }) => { told.push(`${name} ${code} ${phase} ${outcome}`); },
      complete: () => { told.push(`${name} answered`); },
    }, CONTENT);
  };
  const say = (...replies: readonly string[]): void => { server.next(Buffer.from(replies.map((reply) => `${reply}\r\n`).join(''))); };
  return { server, told, send, say };
};

it('250 to RSET behind a goodbye takes nothing', () => {
  const { server, told, send, say } = open();
  send('first', ...ENVELOPE);
  send('second', RSET, ...ENVELOPE);
  say('250 Ok', '250 Ok', '421 bye', '250 reset');
  server.complete();
  expect(told).toEqual(['first answered', 'second E_CLOSED mail not-sent']);
});

it('a refusal behind a goodbye takes nothing', () => {
  const { server, told, send, say } = open();
  for (const name of ['first', 'second', 'third']) send(name, ...ENVELOPE);
  say('250 Ok', '250 Ok', '421 bye', '503 no', '503 no', '503 no');
  server.complete();
  expect(told).toEqual(['first answered', 'second answered', 'third E_CLOSED mail not-sent']);
});

it('one reply too many among those that came together leaves content in doubt', () => {
  const { told, send, say } = open();
  send('first', ...ENVELOPE);
  say('250 Ok', '250 Ok', '250 Ok', '554 spam');
  expect(told).toEqual(['first E_PROTOCOL end-of-data unknown']);
});

it('what is about an address is no reply to content', () => {
  const { told, send, say } = open();
  send('first', ...ENVELOPE);
  say('250 2.1.0 Ok', '250 2.1.5 <bob@example.org> Ok', '250 2.0.0 queued as 1');
  send('second', ...ENVELOPE);
  send('third', ...ENVELOPE);
  say('250 2.1.0 Ok', '250 2.1.5 <bob@example.org> Ok', '250 2.1.5 <eve@example.org> Ok');
  expect(told).toEqual(['first answered', 'second E_PROTOCOL end-of-data unknown', 'third E_PROTOCOL end-of-data unknown']);
});

it('what names a mail in the queue is no reply to RSET: one too many has refused the mail before in its stead', () => {
  const { told, send, say } = open();
  send('first', ...ENVELOPE, rcptTo('eve@example.org'));
  send('second', RSET, ...ENVELOPE);
  say('250 Ok', '250 Ok', '250 Ok', '550 5.1.1 who is eve');
  say('250 2.0.0 queued as 4F3cPq1xKz');
  for (const reply of ['250 Ok', '250 Ok', '250 Ok', '550 5.7.1 spam']) say(reply);
  expect(told).toEqual(['first answered', 'second E_PROTOCOL end-of-data unknown']);
});

it('what names the session, as all that a server says may, is a reply to RSET', () => {
  const { told, send, say } = open();
  send('first', ...ENVELOPE);
  for (const mail of ['second', 'third']) send(mail, RSET, ...ENVELOPE);
  for (let replies = 0; replies < 3 + 4 + 4; replies += 1) say('250 2.0.0 OK id=4F3cPq1xKz');
  expect(told).toEqual(['first answered', 'second answered', 'third answered']);
});

it.each([['MAIL', '<bounces+id=12345@example.com> Ok', 'Ok'], ['RCPT', 'Ok', '<News+ID=12345@example.com> Ok']])('what repeats an address to %s names no mail', (_, toMail, toRcpt) => {
  const { told, send, say } = open();
  send('first', ...ENVELOPE);
  send('second', RSET, mailFrom('bounces+id=12345@example.com'), rcptTo('news+id=12345@example.com'));
  say('250 Ok', '250 Ok', '250 Ok', '250 Ok', `250 ${toMail}`, `250 ${toRcpt}`, '250 Ok');
  expect(told).toEqual(['first answered', 'second answered']);
});

it.each([['MAIL', '250 sender'], ['RCPT', '250 recipient'], ['RSET', '250 reset']])('words that were said to %s are no reply to content', (_, words) => {
  const { told, send, say } = open();
  send('first', RSET, ...ENVELOPE);
  say('250 reset', '250 sender', '250 recipient', '250 queued as 1');
  send('second', RSET, ...ENVELOPE);
  send('third', RSET, ...ENVELOPE);
  say('250 reset', '250 sender', '250 recipient', words);
  expect(told).toEqual(['first answered', 'second E_PROTOCOL end-of-data unknown', 'third E_PROTOCOL end-of-data unknown']);
});

it('a server that says of content what is about an address is believed', () => {
  const { told, send, say } = open();
  send('first', ...ENVELOPE);
  send('second', ...ENVELOPE);
  for (const id of ['1', '2']) say('250 2.1.0 Ok', '250 2.1.5 Ok', `250 2.1.5 queued as ${id}`);
  expect(told).toEqual(['first answered', 'second answered']);
});

it.each([
  ['RSET', ['250 sender', '250 recipient', '250 queued as 2', '250 reset']],
  ['MAIL', ['250 reset', '250 recipient', '250 queued as 2', '250 sender']],
  ['RCPT', ['250 reset', '250 queued as 2', '250 sender', '250 recipient']],
])('what was said to %s first counts, and not what stands in its place where replies are missing', (_, replies) => {
  const { told, send, say } = open();
  for (const mail of ['first', 'second']) send(mail, RSET, ...ENVELOPE);
  say('250 reset', '250 sender', '250 recipient', '250 queued as 1');
  say(...replies);
  expect(told).toEqual(['first answered', 'second E_PROTOCOL end-of-data unknown']);
});

it('words are the same also where they are too long to be remembered', () => {
  const { told, send, say } = open();
  const sender = `250 ${'sender '.repeat(200)}`;
  for (const mail of ['first', 'second']) send(mail, ...ENVELOPE);
  say(sender, '250 recipient', '250 queued as 1');
  say('250 recipient', '250 queued as 2', sender);
  expect(told).toEqual(['first answered', 'second E_PROTOCOL end-of-data unknown']);
});

it('words that a reply only begins with are not that reply', () => {
  const { told, send, say } = open();
  for (const mail of ['first', 'second']) send(mail, ...ENVELOPE);
  say('250 Ok', '250 Ok', '250 queued as 1', '250 Ok', '250 Ok', '250-Ok', '250 queued as 2');
  expect(told).toEqual(['first answered', 'second answered']);
});

it('a server that has said to content what it says to an envelope may say anything of that to it', () => {
  const { told, send, say } = open();
  for (const mail of ['first', 'second']) send(mail, ...ENVELOPE);
  say('250 Ok', '250 Accepted', '250 Accepted', '250 Ok', '250 Accepted', '250 Ok');
  expect(told).toEqual(['first answered', 'second answered']);
});

it('a refusal that is about an address is one of content, too', () => {
  const { told, send, say } = open();
  for (const mail of ['first', 'second']) send(mail, ...ENVELOPE);
  say('250 Ok', '250 Ok', '250 queued as 1', '250 Ok', '250 Ok', '550 5.1.1 who is bob');
  expect(told).toEqual(['first answered', 'second answered']);
});

it('a refusal names no mail in the queue', () => {
  const { told, send, say } = open();
  for (const mail of ['first', 'second']) send(mail, RSET, ...ENVELOPE);
  say('250 Ok', '250 Ok', '250 Ok', '250 Ok', '250 Ok', '250 Ok', '451 4.7.1 Greylisted, id=4F3cPq1xKz', '503 nobody');
  expect(told).toEqual(['first answered', 'second answered']);
});
