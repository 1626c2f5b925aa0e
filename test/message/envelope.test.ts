import { expect, test } from 'vitest';
import { failure, mailOf } from '../support/drafted.js';

test('keeps the envelope as it was given', async () => {
  const given = { from: null, to: ['bob@B\u00fccher.example', { address: 'eve@example.com', notify: ['NEVER'], orcpt: 'rfc822;e@example.com' }, { address: 'ida@example.com' }] };
  const checked = (await mailOf({ envelope: given, raw: '' })).envelope;
  expect(checked.envelope).toEqual(given);
  expect(checked.from).toBeNull();
  expect(checked.to.map((recipient) => recipient.mailbox.path)).toEqual(['bob@xn--bcher-kva.example', 'eve@example.com', 'ida@example.com']);
  expect(checked.to[0]?.given).toBe('bob@B\u00fccher.example');
});

test('cannot be changed by whoever is told of it: the next try goes by it', async () => {
  const { envelope: { envelope, to } } = await mailOf({ envelope: { from: null, to: [{ address: 'eve@example.com', notify: ['FAILURE'] }] }, raw: '' });
  for (const part of [envelope, envelope.to, envelope.to[0], to[0]?.notify]) expect(Object.isFrozen(part)).toBe(true);
});

test('goes to each recipient once, as it was first named', async () => {
  const to = ['ann@example.com', { address: 'bob@example.com', notify: ['NEVER'] }, 'ann@EXAMPLE.com', 'bob@example.com', 'Ann@example.com', 'Postmaster', 'POSTMASTER'];
  const { envelope: { to: recipients, envelope: asked } } = await mailOf({ envelope: { from: null, to }, raw: '' });
  expect(asked.to).toEqual(['ann@example.com', { address: 'bob@example.com', notify: ['NEVER'] }, 'Ann@example.com', 'Postmaster']);
  expect(recipients.map(({ given }) => given)).toEqual(['ann@example.com', 'bob@example.com', 'Ann@example.com', 'Postmaster']);
});

test('says for itself what its envelope leaves out, where it is composed', async () => {
  const message = { from: 'Ann <ann@example.com>', to: 'bob@example.org', bcc: ['eve@example.net'], text: 'Hi' };
  const [to, from] = [['bob@example.org', 'eve@example.net'], 'ann@example.com'];
  for (const [asked, expected] of [
    [{ from: 'bounces@example.com' }, { from: 'bounces@example.com', to }], [{ from: null }, { from: null, to }], [{}, { from, to }],
    [{ to: ['list@example.org'] }, { from, to: ['list@example.org'] }],
  ]) expect((await mailOf({ ...message, envelope: asked })).envelope.envelope).toEqual(expected);
  expect((await failure({ from: 'ann@example.com', text: 'Hi', envelope: { from: null } })).message).toContain('"envelope.to" must be a list with at least one');
});

test('goes to a local part of more than 64 bytes where that is asked for', async () => {
  const long = `reply+${'a'.repeat(70)}@reply.example.com`;
  for (const given of [{ from: long, to: ['bob@example.org'] }, { from: null, to: ['bob@example.org', long] }, { from: null, to: [{ address: long }] }]) {
    expect((await failure({ envelope: given, raw: '' })).message).toMatch(/^The field "envelope\.\S+" has more than 64 bytes before its "@".*"envelope\.longLocalParts"\.$/);
    expect((await mailOf({ envelope: { ...given, longLocalParts: true }, raw: '' })).envelope.to).toHaveLength(given.to.length);
  }
  expect((await failure({ envelope: { from: null, to: [`${'a'.repeat(250)}@example.com`], longLocalParts: true }, raw: '' })).message).toContain('254 bytes');
  // An answer goes to an address that nobody is told here.
  expect((await mailOf({ from: 'ann@example.com', to: 'bob@example.org', replyTo: long, text: 'Hi' })).envelope.to).toHaveLength(1);
  expect((await failure({ from: 'ann@example.com', to: long, text: 'Hi' })).message).toContain('"envelope.longLocalParts"');
  expect((await mailOf({ from: 'ann@example.com', to: long, text: 'Hi', envelope: { longLocalParts: true } })).envelope.to[0]?.given).toBe(long);
});
