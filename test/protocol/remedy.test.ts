import { describe, expect, it } from 'vitest';
import { makeReply, type Reply } from '../../src/protocol/reply.js';
import { remedyAtMail, remedyAtRcpt, remedyFor } from '../../src/protocol/remedy.js';
import { takesNoTime } from '../support/takes-no-time.js';

const replyOf = (text: string): Reply => {
  const lines = text.split(' / ');
  return makeReply(Number(text.slice(0, 3)), [lines[0]!.slice(4), ...lines.slice(1)]);
};

describe('what the words of a refusal ask for, wherever they are said', () => {
  it.each([
    ['454 Throttling failure: Maximum sending rate exceeded.', 'pool.rate'],
    ['550 5.7.0 Requested action not taken: too many emails per second', 'pool.rate'],
    ['421 4.4.2 Message submission rate for this client has exceeded the configured limit', 'pool.rate'],
    ['432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded', 'pool.maxConnections'],
    ['432 4.3.2 Concurrent connections limit exceeded.', 'pool.maxConnections'],
    ['421 4.7.0 mx.example.com Error: too many connections from 192.0.2.1', 'share one client, or lower "pool.maxConnections"'],
    ['550 5.4.5 Daily user sending limit exceeded. / 5.4.5 See https://example.com', 'wait, or have its limit raised'],
    ['454 Throttling failure: Daily message quota exceeded.', 'wait, or have its limit raised'],
    ['554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed', 'wait, or have its limit raised'],
    ['550 5.7.60 SMTP; Client does not have permissions to send as this sender', '"from"'],
    ['554 5.2.252 SendAsDenied; ann@example.com not allowed to send as bob@example.com', '"from"'],
    ['553 Relaying disallowed as ann@example.com', '"from"'],
    ['553 Mail from must equal authorized user', '"from"'],
    ['501 mail from address must be same as authorization user', '"from"'],
    ['554 Message rejected: Email address is not verified. The following identities failed the check: ann@example.com', '"from"'],
    ['550 The from address does not match a verified Sender Identity.', '"from"'],
    ['552 5.2.3 Your message exceeded the size limits', 'Send less'],
  ])('%s', (text, remedy) => {
    const reply = replyOf(text);
    for (const told of [remedyAtMail(reply, true), remedyAtRcpt(reply, false), remedyFor(reply)]) expect(told).toContain(remedy);
  });
});

describe('what is held against the client or its sender, in the answer to an envelope', () => {
  const sender = ['Check the sender\'s address, and whether "auth" is needed.', 'Check the sender\'s address, and whether this account may send as it.'] as const;
  const client = 'Check whether "auth" is needed, and whether the server takes mail from this client\'s address.';
  const account = 'Check what this account may send, from which addresses and to whom.';
  const name = 'Set "clientName" to this host\'s full name.';
  it.each<[reply: string, remedy: string, signedIn?: string]>([
    ['550 5.7.1 Unable to relay', client, account],
    ['550 relay not permitted, authentication required', client, account],
    ['550 5.7.1 Relaying denied. Proper authentication required.', client, account],
    ['554 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org', client, 'Check whether the server takes mail from this client\'s address.'],
    ['553 sorry, that domain isn\'t in my list of allowed rcpthosts (#5.7.1)', client, account],
    ['530 Authentication required', client, account],
    ['553 5.7.1 <ann@example.com>: Sender address rejected: not owned by user bob', 'Set "from" to an address that this account may send as.'],
    ['554 5.7.1 <ann@example.com>: Sender address rejected: Access denied', ...sender],
    ['550 Sender verify failed', ...sender],
    ['450 4.7.1 <bob@example.org>: Recipient address rejected: Greylisted', 'Send it again later.'],
    ['450 4.1.2 <bob@example.rog>: Recipient address rejected: Domain not found', 'Send it again later. If it goes on, check the address.'],
    ['450 4.1.8 <ann@example.cmo>: Sender address rejected: Domain not found', 'Send it again later. If it goes on, check the address.'],
    ['504 5.5.2 <shop>: Helo command rejected: need fully-qualified hostname', name],
    ['550 5.7.1 <shop>: Helo command rejected: Access denied', name],
    ['550 Bad HELO - Host impersonating domain name', name],
    ['450 4.7.1 <shop>: Helo command rejected: Host not found', 'Send it again later. If it goes on, set "clientName" to this host\'s full name.'],
    ['552 5.2.2 Mailbox full', 'The mailbox takes no mail now, which only its owner or operator can change.'],
    ['452 4.2.2 Mailbox full', 'Send it again later.'],
    ['550 5.1.1 <relay@relay.example.org>: User unknown in relay.example.org', 'Check the recipient\'s address.'],
    ['550 5.1.1 No such user', 'Check the recipient\'s address.'],
  ])('%s', (text, remedy, signedIn = remedy) => {
    expect(remedyAtRcpt(replyOf(text), false)).toBe(remedy);
    expect(remedyAtRcpt(replyOf(text), true)).toBe(signedIn);
  });

  it('is the sender, where the answer to MAIL tells no more', () => {
    for (const text of ['550 5.1.0 Address rejected', '552 5.2.2 Mailbox full']) expect([false, true].map((isSignedIn) => remedyAtMail(replyOf(text), isSignedIn))).toEqual(sender);
  });
});

describe('what is something else in the answer to the content', () => {
  it.each(['550 5.7.26 Unauthenticated email is not accepted due to the DMARC policy', '554 5.7.1 It names a site that is blocked using dbl.spamhaus.org', '550 5.7.1 This message rated as spam'])('%s', (text) => {
    expect(remedyFor(replyOf(text))).toBe('Change what its words tell of, or ask its operator.');
  });
});

it('is found in no time, whatever the text', async () => {
  const texts = ['daily ', 'daily user ', 'too many ', 'too many concurrent ', 'relay', 'relaying ', 'e-mails per ', 'sender ', 'mail from ', 'bad helo', 'helo command ', 'rate', 'x', ' '].map((part) => part.repeat(60_000 / part.length));
  await takesNoTime(() => { for (const text of texts) remedyAtRcpt(makeReply(550, [text]), true); });
});
