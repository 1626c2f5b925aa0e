import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadOptions } from '../../src/config/index.js';
import { SmtpUsageError } from '../../src/index.js';
import { file, folder } from '../support/files.js';

const XML = '<configuration><system.net><mailSettings><smtp from="ünal@example.com"><network host="mail.example.com" password="${PASSWORD}" userName="ann"/></smtp></mailSettings></system.net></configuration>';
const JSON_TEXT = '{ "host": "mail.example.com", "auth": { "user": "ann", "pass": "${PASSWORD}" }, "from": "ünal@example.com" }';
const URL_TEXT = 'smtp://ann:p%C3%A4ss@mail.example.com:25';
const env = { PASSWORD: 'päss' };

const fileOf = (content: string | Uint8Array): string => file('settings', content);

const utf16le = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');

const EXPECTED = { host: 'mail.example.com', auth: { user: 'ann', pass: 'päss' } };
const SOURCES: [string, string, object][] = [
  ['XML', XML, { ...EXPECTED, port: 25, defaults: { from: 'ünal@example.com' } }],
  ['XML with a declaration', `<?xml version="1.0" encoding="utf-16"?>\r\n${XML}`, { ...EXPECTED, port: 25, defaults: { from: 'ünal@example.com' } }],
  ['JSON', JSON_TEXT, { ...EXPECTED, defaults: { from: 'ünal@example.com' } }],
  ['a URL', URL_TEXT, { ...EXPECTED, port: 25 }],
];

describe('loadOptions', () => {
  describe.each(SOURCES)('knows %s', (_, text, options) => {
    it.each<[string, (text: string) => string]>([
      ['as a text', (given) => given],
      ['with blanks around it', (given) => `\uFEFF \r\n${given}\n`],
      ['in a file', fileOf],
      ['in a file with a byte order mark', (given) => fileOf(`\uFEFF${given}\n`)],
      ['in a file in UTF-16', (given) => fileOf(utf16le(given))],
      ['in a file in UTF-16, big end first', (given) => fileOf(utf16le(given).swap16())],
    ])('%s', async (__, source) => { expect(await loadOptions(source(text), env)).toEqual(options); });
  });

  it.each<[string, () => unknown, string]>([
    ['a path that leads nowhere', () => join(folder, 'hunter2'), '(ENOENT)'],
    ['a folder', () => folder, '(EISDIR)'],
    ['a path with NUL', () => 'hunter2\0', 'cannot be read'],
    ['a URL of another form', () => 'smtp:/ann:hunter2@host', 'cannot be read (ENOENT). Settings are a path'],
    ['a URL of another scheme', () => 'https://ann:hunter2@host', 'smtp://user:pass@host:port'],
    ['nothing', () => ' \n', 'not empty'],
    ['no text', () => ({ toString: () => '{}' }), 'not empty'],
    ['an empty file', () => fileOf(''), 'holds neither JSON'],
    ['a file of something else', () => fileOf('hunter2'), 'holds neither JSON'],
    ['a file that names a file', () => fileOf(join(folder, 'settings')), 'holds neither JSON'],
    ['a file that is not UTF-8', () => fileOf(Buffer.from(JSON_TEXT, 'latin1')), 'not valid UTF-8'],
    ['a file that is half UTF-16', () => fileOf(utf16le(XML).subarray(0, -1)), 'not valid UTF-16LE'],
    ['a file in UTF-16 that does not say so', () => fileOf(utf16le(XML).subarray(2)), 'Save it as UTF-8'],
    ['a file in UTF-7', () => fileOf('+ADw-configuration+AD4-'), 'holds neither JSON'],
    ['a file that is too long', () => fileOf(JSON_TEXT + ' '.repeat(256 * 1024)), 'longer than 256 KiB'],
    ['a file without an end', () => '/dev/zero', 'longer than 256 KiB'],
    ['JSON that is not', () => '{hunter2', 'not valid JSON'],
    ['JSON behind blank lines', () => '\n\n{"host":"a"\n"port":25}', 'not valid JSON: see line 4, column 1.'],
    ['XML that is not', () => '<hunter2', 'not well-formed'],
    ['XML behind blank lines', () => '\uFEFF\n \r\n\n<a>\n<hunter2 a=1/></a>', 'not well-formed in line 5.'],
    ['XML with a declaration behind blank lines', () => fileOf('\n\n<?xml version="1.0"?>\n<a><hunter2 a=1/></a>'), 'not well-formed in line 4.'],
    ['an option that is none', () => '{"host":"a","hunter3":1}', 'Unknown option "hunter3"'],
    ['a port that is none', () => 'smtp://ann:hunter2@host:0', '"port"'],
    ['a limit that is none', () => 'smtp://ann:hunter2@host?timeouts.greeting=0', '"timeouts.greeting"'],
    ['a URL with a variable', () => fileOf('smtp://ann:${hunter2}@host'), 'holds a "${"'],
    ['a URL with an un-encoded @', () => 'smtp://ann:hunter2@x@host', 'Write %40'],
  ])('refuses %s', async (_, source, reason) => {
    const error: unknown = await loadOptions(source() as string, env).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SmtpUsageError);
    expect((error as Error).message).toContain(reason);
    expect(inspect(error)).not.toContain('hunter2');
  });
});
