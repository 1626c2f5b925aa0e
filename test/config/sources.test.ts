import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fromEnv, fromJson, fromUrl } from '../../src/config/index.js';
import { settings } from '../../src/config/options.js';
import { SmtpUsageError } from '../../src/protocol/error.js';

test.each<[string, object]>([
  ['smtp://mail.example.com', { host: 'mail.example.com' }],
  ['smtp://mail.example.com:2525/', { host: 'mail.example.com', port: 2525 }],
  ['smtps://user:p%40ss@host:465?clientName=a', { host: 'host', port: 465, security: 'implicit', auth: { user: 'user', pass: 'p@ss' }, clientName: 'a' }],
  ['smtps://host', { host: 'host', port: 465, security: 'implicit' }],
  ['smtp+starttls://B%C3%BCcher.example:587', { host: 'xn--bcher-kva.example', port: 587, security: 'starttls' }],
  ['smtp://a%40b.c:%2525@[::1]:25', { host: '::1', port: 25, auth: { user: 'a@b.c', pass: '%25' } }],
  ['smtp://host?timeouts.greeting=5000&timeouts.operation=Infinity&security=auto', { host: 'host', security: 'auto', timeouts: { greeting: 5000, operation: Infinity } }],
  ['smtp://host?security=implicit,starttls&allowedAuthentication=plain', { host: 'host', security: ['implicit', 'starttls'], allowedAuthentication: ['plain'] }],
])('%s', (url, options) => {
  expect(fromUrl(url)).toEqual(options);
  expect(settings(url).host).toBe((options as { host: string }).host);
});

test.each<[string, string]>([
  ['smtp://user:hunter2@x@host', 'write %40'], ['smtp://user:hun/ter2@host', 'write %40'], ['smtp://user:12#hunter2@host', 'write %40'], ['smtp://user:12?hunter2@host', 'write %40'],
  ['smtp://a@evil#@good', 'write %40'], ['smtp://a\\@good', 'backslash'], ['smtp://ho\tst', 'control'], ['smtp://host#x', 'must end behind'], ['smtp://host/x', 'must end behind'],
  ['http://host', 'form'], ['mail.example.com', 'cannot be read'], ['smtp:host', 'cannot be read'], ['smtp://', '"host"'], ['smtp://user:hunter2@host:99999', 'cannot be read'],
  ['smtp://user@host', 'auth.pass'], ['smtp://:hunter2@host', 'auth.user'], ['smtp://user:hunter2%@host', '%25'],
  ['smtp://host?clientNme=a', 'Did you mean "clientName"'], ['smtp://host?pass=hunter2', 'Unknown option "pass"'], ['smtp://host?tls.rejectUnauthorized=false', 'cannot change how TLS'], ['smtp://host?clientName=a&clientName=b', 'twice'], ['smtps://host?security=none', 'twice'],
])('%s is refused: %s', (url, text) => {
  const call = (): unknown => fromUrl(url);
  expect(call).toThrow(SmtpUsageError);
  expect(call).toThrow(text);
  try { call(); } catch (error) { expect((error as Error).message).not.toMatch(/hun|ter2/); }
});

test.each(['smtp://host?timeouts.greeting=0', 'smtp://host?timeouts.command=5s', 'smtp://host?security=ssl', 'smtp://host:0'])('%s is refused by the options', (url) => {
  expect(() => settings(url)).toThrow(SmtpUsageError);
});

test('the environment', () => {
  expect(fromEnv({ SMTP_HOST: 'host', SMTP_PORT: '587', SMTP_USER: 'ann', SMTP_PASSWORD: 'x', SMTP_SECURITY: 'starttls', SMTP_CLIENT_NAME: 'me', SMTP_FROM: 'ann@example.com', OTHER: 'y' })).toEqual({
    host: 'host', port: 587, auth: { user: 'ann', pass: 'x' }, security: 'starttls', clientName: 'me', defaults: { from: 'ann@example.com' },
  });
  expect(fromEnv({ MAIL_URL: 'smtps://host', SMTP_HOST: 'other' }, 'MAIL_')).toMatchObject({ host: 'host', port: 465 });
  const file = join(mkdtempSync(join(tmpdir(), 'rxsmtp-')), 'pass');
  writeFileSync(file, 'from file\n');
  expect(fromEnv({ SMTP_HOST: 'host', SMTP_USER: 'ann', SMTP_PASSWORD_FILE: file }).auth).toEqual({ user: 'ann', pass: 'from file' });
  expect(() => fromEnv({})).toThrow('SMTP_HOST');
  expect(() => fromEnv({ SMTP_URL: 'smtp://a', SMTP_HOST: 'b' })).toThrow('SMTP_URL');
  expect(() => fromEnv({ SMTP_HOST: 'b', SMTP_PORT: 'x' })).toThrow('"port"');
  expect(() => fromEnv({ SMTP_HOST: 'b', SMTP_USER: 'x' })).toThrow('auth.pass');
  expect(() => fromEnv({ SMTP_HOST: 'b', SMTP_PASS: 'x', SMTP_PASSWORD: 'x' })).toThrow('SMTP_PASSWORD');
  expect(() => fromEnv({ SMTP_HOST: 'b', SMTP_PASSWORD_FILE: '/nonexistent' })).toThrow('SMTP_PASSWORD_FILE');
});

test('JSON', () => {
  expect(fromJson('{"host":"host","from":"ann@example.com","timeouts":{"greeting":5}}')).toEqual({ host: 'host', timeouts: { greeting: 5 }, defaults: { from: 'ann@example.com' } });
  for (const text of ['hunter2', '[]', '5', '{"host":"a","__proto__":{}}', '{"host":"a","constructor":{"prototype":{}}}', '{"hots":"a"}', '{"host":"a","from":"a","defaults":{}}']) {
    expect(() => fromJson(text)).toThrow(SmtpUsageError);
    expect(() => fromJson(text)).not.toThrow('hunter2');
  }
});
