import { describe, expect, it } from 'vitest';
import { queueId } from '../../src/protocol/queue-id.js';
import { isTooMany, makeReply } from '../../src/protocol/reply.js';
import { takesNoTime } from '../support/takes-no-time.js';

const replyOf = (line: string) => makeReply(Number(line.slice(0, 3)), [line.slice(4)]);

describe('the name that a server gave a mail', () => {
  it.each([
    ['Postfix', '250 2.0.0 Ok: queued as 4XyZ12abcD', '4XyZ12abcD'],
    ['Exim', '250 OK id=1qAbCd-0001Ef-2G', '1qAbCd-0001Ef-2G'],
    ['OpenSMTPD', '250 2.0.0 5a1b2c3d Message accepted for delivery', '5a1b2c3d'],
    ['sendmail', '250 2.0.0 4AB1c2d3012345 Message accepted for delivery', '4AB1c2d3012345'],
    ['Comcast', '250 2.0.0 12f11D00g0a1b2c3d4e5f6 mail accepted for delivery', '12f11D00g0a1b2c3d4e5f6'],
    ['Gmail', '250 2.0.0 OK  1700000000 a1b2c3-d4e5f6.123 - gsmtp', 'a1b2c3-d4e5f6.123'],
    ['Exchange', '250 2.6.0 <1@example.com> [InternalId=1234567, Hostname=A.example.com] 5000 bytes in 0.1, 48 KB/sec Queued mail for delivery', '1234567'],
    ['qmail', '250 ok 1700000000 qp 12345', '12345'],
    ['Amazon SES', '250 Ok 0102018c1234abcd-01234567-89ab-cdef-0123-456789abcdef-000000', '0102018c1234abcd-01234567-89ab-cdef-0123-456789abcdef-000000'],
    ['a server that names itself, too', '250 2.0.0 OK id=abc123def456@mail.example.com queued', 'abc123def456@mail.example.com'],
    ['one in parts', '250 2.0.0 ok queued as 5f/3a-12345', '5f/3a-12345'],
    ['163 and 126', '250 Mail OK queued as smtp13,EcCowAAH6pONaCdiDzW+Gg--.24616S3 1646749837', 'smtp13,EcCowAAH6pONaCdiDzW+Gg--.24616S3'],
    ['MailHog', '250 Ok: queued as cHQR7GZI1DOjOeB0g3pvMptrYeEkVzE2PQkK-y1TyFg=@mailhog.example', 'cHQR7GZI1DOjOeB0g3pvMptrYeEkVzE2PQkK-y1TyFg=@mailhog.example'],
    ['SendGrid', '250 Ok: queued as -hIMmON9SFOPcT0ii4nt2A', '-hIMmON9SFOPcT0ii4nt2A'],
    ['SendGrid, another time', '250 Ok: queued as _hIMmONxSFOPcTQiiAntxA', '_hIMmONxSFOPcTQiiAntxA'],
    ['Proofpoint', '250 2.0.0 3gmmve69kt-1 Message accepted for delivery', '3gmmve69kt-1'],
    ['Haraka', '250 Message Queued (F5DB1A2C-0D8B-4E8C-9B0A-1234567890AB.1)', 'F5DB1A2C-0D8B-4E8C-9B0A-1234567890AB.1'],
    ['Yandex', '250 2.0.0 Ok: queued on vla5-445dc1c4c112.qloud-c.yandex.net as 1626807290-H9I3Z0YL1S-so3qUqBj', '1626807290-H9I3Z0YL1S-so3qUqBj'],
    ['Yandex, newer', '250 2.0.0 Ok: queued on mail-44.sas.yp-c.yandex.net 1689717924-N5p8495DYSw0-YqriOY9b', '1689717924-N5p8495DYSw0-YqriOY9b'],
    ['Stalwart', '250 2.0.0 Message queued with id 217700302698266624.', '217700302698266624'],
    ['amavis', '250 2.6.0 Ok, id=04497-01, from MTA([127.0.0.1]:10025): 250 Ok', '04497-01'],
    ['one in angle brackets', '250 2.0.0 OK: queued as <202401011200.12345678901@smtp-relay.example>', '202401011200.12345678901@smtp-relay.example'],
    ['a word, as Aliyun has for each mail', '250 Data Ok: queued as freedom', undefined],
    ['a word of a sentence', '250 Accepted, message id missing was added', undefined],
    ['a host, and no more', '250 Ok: queued on mx.example.com for delivery', undefined],
    ['no more than its word', '250 OK: queued as.', undefined],
    ['one without an end', `250 Ok: queued as ${'a'.repeat(200)}`, undefined],
    ['one with a hole', '250 2.0.0 Ok: queued as 4A***BCD', undefined],
    ['one with a hole behind it', '250 ok 1700000000 qp 12***', undefined],
    ['nobody', '250 2.0.0 Ok', undefined],
    ['nobody, with thanks', '250 OK thank you for your mail', undefined],
  ])('%s', (_, line, id) => { expect(queueId(replyOf(line))).toBe(id); });
});

it('is looked for in no time, whatever the text', async () => {
  const texts = ['queued as ', 'id=', 'queued as:', 'queued on a.', 'a.', 'queued (0', '=', '.', 'x', ' ', 'OK  1', 'id=.'].map((part) => part.repeat(60_000 / part.length));
  await takesNoTime(() => {
    for (const text of [...texts, ...texts.map((long) => `queued as${long}`), ...texts.map((long) => `queued on a${long}`)]) queueId(makeReply(250, [text]));
  });
});

describe('too many recipients, or something else', () => {
  it.each([
    ['452 too many', true], ['552 too many', true], ['452 4.5.3 too many', true], ['550 5.5.3 too many', true], ['451 4.5.3 too many', true], ['452 4.3.1 no room', true], ['452 4.7.1 too many', true],
    ['552 5.2.2 mailbox full', false], ['452 4.1.1 who', false], ['552 5.3.4 too big', false], ['552 5.7.1 spam', false], ['550 5.1.1 who', false],
  ])('%s: %s', (line, expected) => { expect(isTooMany(replyOf(line))).toBe(expected); });
});
