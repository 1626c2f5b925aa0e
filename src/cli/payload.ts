import { createCipheriv } from 'node:crypto';

const LINE = 76;
const CHUNK = 64 * 1024;

/** The size of bytes as an attachment: four characters for three bytes, in lines of 76 with CRLF (RFC 2045 section 6.8). */
export const inBase64 = (bytes: number): number => {
  const characters = Math.ceil(bytes / 3) * 4;
  return characters + Math.ceil(characters / LINE) * 2;
};

/** Bytes that look random and are the same each time: they compress and repeat as little as a real file's. */
export function* pseudoRandom(size: number): Generator<Buffer> {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'rxsmtp'), Buffer.alloc(16));
  for (let left = size; left > 0; left -= CHUNK) yield stream.update(Buffer.alloc(Math.min(CHUNK, left)));
}

/**
 * The bytes of an attachment in a received message, by a reading that forgives nothing: the part must be there once,
 * in canonical base64 and in lines of 76. Undefined where it is not.
 */
export const attachmentOf = (message: Buffer, filename: string): Buffer | undefined => {
  const at = message.indexOf(`filename=${filename}\r\n`);
  const start = message.indexOf('\r\n\r\n', at);
  const end = message.indexOf('\r\n--', start + 4);
  if (at < 0 || start < 0 || end < 0 || message.indexOf(`filename=${filename}\r\n`, at + 1) >= 0) return undefined;
  const header = message.toString('latin1', message.lastIndexOf('\r\n--', at), start);
  if (!/^Content-Transfer-Encoding: base64$/im.test(header)) return undefined;
  const lines = message.toString('latin1', start + 4, end).split('\r\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.some((line, index) => line.length !== LINE && index !== lines.length - 1)) return undefined;
  const text = lines.join('');
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};
