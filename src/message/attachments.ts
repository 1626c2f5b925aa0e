import { isUint8Array } from 'node:util/types';
import type MailComposer from 'nodemailer/lib/mail-composer';
import type * as MimeFuncs from 'nodemailer/lib/mime-funcs';
import { asBuffer } from '../protocol/as-buffer.js';
import { reasonOf, SmtpError, SmtpSourceError } from '../protocol/error.js';
import { isOneShot } from './async-iterables.js';
import { A_CONTENT, isContent, source, type OpenContent, type Source } from './content.js';
import { fields, optional, unlike, usage } from './fields.js';
import { checkHeaders, headerText, lastText, quotable } from './header.js';

/** An attachment that was checked, and not opened yet. */
export interface CheckedAttachment {
  /** Its field, for errors. */
  readonly place: string;
  readonly content: Source;
  /** What can be handed over as it is. */
  readonly atHand: string | Buffer | undefined;
  /** What was given. */
  readonly part: Part;
}

type Part = NonNullable<MailComposer.Options['attachments']>[number];

/** What file names and media types have to do with each other. */
export type MimeTable = Pick<typeof MimeFuncs, 'detectMimeType' | 'detectExtension'>;

/** @throws SmtpUsageError naming the field that cannot be used. */
export const checkAttachments = (value: unknown): readonly CheckedAttachment[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw usage('The field "attachments" must be a list.');
  const held = new Set<unknown>();
  return Array.from(value as readonly unknown[], (attachment, index) => checkAttachment(attachment, `attachments[${String(index)}]`, held));
};

const NOT_OPENED = 'is refused: no file or URL is ever opened. Pass a stream as "content", and its name as "filename".';

const checkAttachment = (given: unknown, path: string, held: Set<unknown>): CheckedAttachment => {
  const { filename, content, contentType, cid, contentDisposition, headers } = fields(given, {
    path, noun: 'field', known: ['filename', 'content', 'contentType', 'cid', 'contentDisposition', 'headers'],
    refused: { path: NOT_OPENED, href: NOT_OPENED, raw: 'is refused. Pass "content".', contentTransferEncoding: 'has no counterpart: attachments go out in base64, messages as they are.', encoding: 'is refused. Pass the bytes as "content": Buffer.from(text, "base64").' },
  });
  if (!isContent(content)) throw unlike(`The field "${path}.content"`, A_CONTENT, content);
  if (isOneShot(content) && held.has(content)) throw usage(`The field "${path}.content" is the content of another attachment, and can be read only once. Give a function that opens it anew.`);
  held.add(content);
  if (contentDisposition !== undefined && contentDisposition !== 'attachment' && contentDisposition !== 'inline') throw usage(`The field "${path}.contentDisposition" must be "attachment" or "inline".`);
  const name = filename === undefined ? '' : quotable(filename, `${path}.filename`);
  const type = optional(checkContentType)(contentType, `${path}.contentType`) ?? (/\.eml$/i.test(name) ? 'message/rfc822' : undefined);
  if (typeof content === 'string' && type !== undefined && isMislabelled(content, type)) throw usage(`The field "${path}.contentType" names a charset, and strings are UTF-8. Say "utf-8", or give the bytes as "content": Buffer.from(text, "latin1").`);
  return {
    place: path,
    content: source(content),
    atHand: typeof content === 'string' ? content : isUint8Array(content) ? asBuffer(content) : undefined,
    part: {
      filename: name === '' ? undefined : name,
      contentType: type,
      cid: optional(checkContentId)(cid, `${path}.cid`),
      contentDisposition,
      headers: [...checkHeaders(headers, `${path}.headers`)],
    },
  };
};

/** As the composer takes it. What its table says of a file name would leave the bytes of some as they are (RFC 2045 section 6.4), and change them on the way. */
export const described = ({ part, atHand }: CheckedAttachment, number: number, { detectMimeType, detectExtension }: MimeTable): Part => {
  const guess = detectMimeType(part.filename);
  const type = part.contentType ?? (/^(?:multipart|message)\//.test(guess) ? 'application/octet-stream' : guess);
  // Strings are UTF-8.
  const contentType = typeof atHand === 'string' && /^text\//i.test(type) && !CHARSET.test(type) ? `${type}; charset=utf-8` : type;
  // The table knows types without parameters; bytes of no kind have the extension "*".
  const extension = detectExtension(type.replace(/;.*/s, ''));
  // Without it, the composer would show an attached message inline.
  const contentDisposition = part.contentDisposition ?? (part.cid !== undefined && /^image\//i.test(type) ? 'inline' : 'attachment');
  return { ...part, contentType, contentDisposition, filename: part.filename ?? (isMessage(type) ? undefined : `attachment-${String(number)}${extension === '*' ? '' : `.${extension}`}`) };
};

/** It goes out as it is. */
export const isMessage = (type: string): boolean => /^message\//i.test(type);

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** ASCII is UTF-8 as well. */
const isMislabelled = (text: string, type: string): boolean => {
  const charset = CHARSET.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  return charset === 'us-ascii' ? /[^\0-\x7f]/.test(text) : charset !== 'utf-8' && charset !== 'utf8';
};

// RFC 2045 section 5.1, and values that others forget to quote.
const MEDIA_TYPE = /^(?!multipart\/)[!#$&^\w.+-]+\/[!#$&^\w.+-]+(?:\s*;\s*[^\s;="]+=(?:[^\s;"]+|"(?:[^"\\]|\\.)*"))*\s*;?$/i;

const checkContentType = (value: unknown, name: string): string => {
  const type = lastText(value, name);
  if (!MEDIA_TYPE.test(type)) throw usage(`The field "${name}" must be a media type with a subtype, as in "image/png" or "text/plain; charset=utf-8", and no multipart.`);
  return type;
};

const checkContentId = (value: unknown, name: string): string => {
  const id = headerText(value, name);
  if (!/^[!-;=?-~]+$/.test(id)) throw usage(`The field "${name}" must be ASCII without blanks and angle brackets.`);
  return id;
};

// What is encoded at once keeps all others waiting, and takes its memory several times.
const PIECE = 64 * 1024;

/** What the composer gets as it was given. What is large is read in pieces; a message is looked at as a whole. */
export const handedOver = ({ atHand, part: { contentType = '' } }: CheckedAttachment): string | Buffer | undefined =>
  (atHand === undefined || atHand.length <= PIECE || isMessage(contentType) ? atHand : undefined);

/** Opens an attachment when its turn has come. What fails says in which one. */
export async function* read({ content, place }: CheckedAttachment, opened: OpenContent[]): AsyncGenerator<Uint8Array | string> {
  try {
    const input = content.open();
    opened.push(input);
    if (input.kind === 'bytes') {
      for (let at = 0; at < input.bytes.length; at += PIECE) yield input.bytes.subarray(at, at + PIECE);
      return;
    }
    for (;;) {
      const chunk = await input.chunks.next();
      if (chunk.done === true) return;
      // What the composer has read ahead is its own: the source may use its memory again.
      yield typeof chunk.value === 'string' ? chunk.value : Buffer.from(chunk.value);
    }
  } catch (cause) {
    throw new SmtpSourceError({ phase: 'body', cause, retryable: !(cause instanceof SmtpError) || cause.retryable, message: `${place}: ${reasonOf(cause)}` });
  }
}
