import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { usage } from '../message/fields.js';
import { fromDotNetConfig } from './dot-net-config.js';
import type { Environment } from './environment.js';
import { fromJson } from './json.js';
import type { SmtpOptions } from './options.js';
import { fromUrl } from './url.js';
import { MOST_BYTES } from './xml.js';

/**
 * Options from a string that is JSON (`fromJson`), XML (`fromDotNetConfig`), a URL (`fromUrl`), or the
 * path of a file that holds one of these. If it begins with `{` it is JSON, with `<` XML; if it contains `://` it is a URL.
 *
 * ```ts
 * const client = new SmtpClient(await loadOptions('app.config'));
 * ```
 * @param env where `${NAME}` in JSON and XML is looked up.
 * @throws SmtpUsageError (as a rejection) naming the option that cannot be used; it never shows the source, which may hold a password.
 */
export const loadOptions = async (source: string, env: Environment = process.env): Promise<SmtpOptions> => {
  if (typeof source !== 'string' || source.trim() === '') throw usage('The settings must be a text that is not empty: a path, a URL, JSON or XML.');
  return fromText(source, env) ?? fromFile(source, env);
};

/** Options from a file that holds JSON, XML or a URL, in UTF-8, or in UTF-16 with its byte order mark. */
export const fromFile = async (path: string, env: Environment): Promise<SmtpOptions> => {
  const options = fromText(decode(await read(path)), env);
  if (options === undefined) throw usage('The file of settings holds neither JSON, which begins with "{", nor XML, which begins with "<", nor a URL.');
  return options;
};

const fromText = (source: string, env: Environment): SmtpOptions | undefined => {
  // A byte order mark counts as white space here.
  const text = source.trim();
  // With the lines in front of it, because its errors count them; a declaration must come first even so.
  if (text.startsWith('{')) return fromJson(source, env);
  if (text.startsWith('<')) return fromDotNetConfig(text.replace(/^(?:<\?xml\s[^>]*>)?/, (declaration) => declaration + linesBefore(text, source)), env);
  return text.includes('://') ? fromUrl(text) : undefined;
};

const linesBefore = (text: string, source: string): string => source.slice(0, source.indexOf(text)).replace(/[^\r\n]/g, '');

const read = async (path: string): Promise<Buffer> => {
  const bytes = await upTo(MOST_BYTES + 1, path);
  if (bytes.length > MOST_BYTES) throw usage(`The file of settings is longer than ${MOST_BYTES / 1024} KiB.`);
  return bytes;
};

const upTo = async (length: number, path: string): Promise<Buffer> => {
  try {
    return await buffer(createReadStream(path, { end: length - 1 }));
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    throw usage(`The file of settings cannot be read (${code}). Settings are a path, a URL with "://", JSON that begins with "{", or XML that begins with "<".`);
  }
};

const decode = (bytes: Buffer): string => {
  const mark = bytes.toString('latin1', 0, 2);
  const encoding = mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw usage(`The file of settings is not valid ${encoding.toUpperCase()}. Save it as UTF-8.`);
  }
};
