import { describe, expect, it } from 'vitest';
import { isTooMany, makeReply, queueId } from '../../src/protocol/reply.js';

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
    ['one without an end', `250 Ok: queued as ${'a'.repeat(200)}`, undefined],
    ['nobody', '250 2.0.0 Ok', undefined],
    ['nobody, with thanks', '250 OK thank you for your mail', undefined],
  ])('%s', (_, line, id) => { expect(queueId(replyOf(line))).toBe(id); });
});

describe('too many recipients, or something else', () => {
  it.each([
    ['452 too many', true], ['552 too many', true], ['452 4.5.3 too many', true], ['550 5.5.3 too many', true], ['451 4.5.3 too many', true], ['452 4.3.1 no room', true],
    ['552 5.2.2 mailbox full', false], ['452 4.1.1 who', false], ['552 5.3.4 too big', false], ['550 5.1.1 who', false],
  ])('%s: %s', (line, expected) => { expect(isTooMany(replyOf(line))).toBe(expected); });
});
