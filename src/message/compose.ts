import { Readable } from 'node:stream';
import { isDate, isUint8Array } from 'node:util/types';
import type MailComposer from 'nodemailer/lib/mail-composer';
import { catchError, defer, map, of, throwError, type Observable } from 'rxjs';
import { domainOf } from '../protocol/address.js';
import { bare } from '../protocol/bare.js';
import { crypto } from '../protocol/crypto.js';
import { reasonOf, sentence, SmtpSourceError, SmtpUsageError } from '../protocol/error.js';
import { checkAttachments, described, handedOver, isMessage, read, type CheckedAttachment, type MimeTable } from './attachments.js';
import { open, readTwice, type OpenContent } from './content.js';
import { checkEnvelope, type CheckedEnvelope } from './envelope.js';
import { optional, usage, type Fields } from './fields.js';
import { checkAddress, checkAddresses, checkForeignIds, checkHeaders, checkMessageId, checkReferences, lastText, wellFormed, type HeaderAddress } from './header.js';

/** A composed message, checked; what does not change from one try to the next is fixed. */
interface Composition {
  readonly envelope: CheckedEnvelope;
  /** An address in the header needs SMTPUTF8. */
  readonly utf8: boolean;
  /** It is ASCII: all else is encoded. */
  readonly ascii: boolean;
  /** Bytes that it has at least: what it is composed of. */
  readonly atLeast: number;
  readonly messageId: string;
  readonly replayable: boolean;
  /** Gives what opens it: composed by then where it is small and all of it is at hand, or while it is read. */
  compose(composer: Composer): Observable<() => OpenContent>;
  /** Destroys the attachments that never were opened. */
  discard(): void;
}

/** What nodemailer composes with. */
interface Composer {
  readonly MailComposer: typeof MailComposer;
  readonly table: MimeTable;
}

type ComposerOptions = MailComposer.Options;
type Part = ReturnType<MailComposer['compile']>;

/** The own fields of a composed message. */
export const COMPOSED_FIELDS = [
  'from', 'sender', 'to', 'cc', 'bcc', 'replyTo', 'subject', 'text', 'html', 'attachments', 'headers', 'messageId', 'inReplyTo', 'references', 'date', 'envelope',
] as const;

/** Loads nodemailer's composer, which nobody who sends finished messages needs. */
export const loadComposer = async (): Promise<Composer> => {
  try {
    // Each awaited here: esbuild bears a package that is missing only where it sees that.
    const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
    const table = await import('nodemailer/lib/mime-funcs');
    return { MailComposer, table };
  } catch (cause) {
    throw new SmtpUsageError({ cause, message: 'Composed messages need the package nodemailer (version 10): npm install nodemailer@10. Raw messages need nothing.' });
  }
};

/** @throws SmtpUsageError naming the field that cannot be used. */
export const composition = (given: Fields<(typeof COMPOSED_FIELDS)[number]>): Composition => {
  const from = checkAddress(given.from, 'from');
  const [to, cc, bcc] = [checkAddresses(given.to, 'to'), checkAddresses(given.cc, 'cc'), checkAddresses(given.bcc, 'bcc')];
  const sender = given.sender === undefined ? [] : [checkAddress(given.sender, 'sender')];
  const replyTo = checkAddresses(given.replyTo, 'replyTo');
  const attachments = checkAttachments(given.attachments);
  const messageId = optional(checkMessageId)(given.messageId, 'messageId') ?? `<${crypto().randomBytes(16).toString('hex')}@${domainOf(from.mailbox)}>`;
  const header: ComposerOptions = {
    from: written(from),
    sender: sender.map(written)[0],
    to: to.map(written),
    cc: cc.map(written),
    replyTo: replyTo.map(written),
    subject: optional(checkSubject)(given.subject, 'subject'),
    text: optional(body)(given.text, 'text'),
    html: optional(body)(given.html, 'html'),
    headers: [...checkHeaders(given.headers, 'headers')],
    messageId,
    inReplyTo: optional(checkForeignIds)(given.inReplyTo, 'inReplyTo')?.join(' '),
    references: optional(checkReferences)(given.references, 'references')?.slice(),
    date: checkDate(given.date),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const recipients = [...to, ...cc, ...bcc];
  if (given.envelope === undefined && recipients.length === 0) throw usage('The message has no recipient. Give "to", "cc", "bcc" or "envelope".');
  const atLeast = [given.text, given.html, ...attachments.map(({ atHand }) => atHand)].reduce<number>((sum, part) => sum + bytesOf(part), 0);
  const utf8 = [from, ...sender, ...to, ...cc, ...replyTo].some(({ mailbox }) => mailbox.utf8);
  return {
    utf8,
    ascii: !utf8 && !attachments.some(({ part: { contentType = '' } }) => isMessage(contentType)),
    envelope: checkEnvelope(given.envelope === undefined ? {} : given.envelope, { from: from.given, to: recipients.map((recipient) => recipient.given) }),
    messageId,
    atLeast,
    replayable: attachments.every(({ content }) => content.replayable),
    // The composer writes into what it is given; every try gets its own copy.
    compose: (composer) => (atLeast <= SMALL && attachments.every(({ atHand }) => atHand !== undefined)
      ? defer(() => compiled(composer, structuredClone(header), attachments, []).build()).pipe(map((bytes) => () => open(bytes)), catchError((cause: unknown) => throwError(() => notComposed(cause))))
      : of(() => streamed(composer, structuredClone(header), attachments))),
    discard: () => { for (const { content } of attachments) content.discard(); },
  };
};

// So many characters, of four bytes each, fit into an encoded word, which has 75 at most.
const WORDS = /.{1,11}/gsu;

/** What looks like an encoded word is encoded itself (RFC 2047 section 7): the composer takes it for one, and a reader would show another text. */
const checkSubject = (value: unknown, name: string): string => {
  const text = lastText(value, name);
  return text.includes('=?') ? text.replace(WORDS, (part) => ` =?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).trimStart() : text;
};

/** RFC 2045 section 6.8: lines of text end in CRLF before they are encoded in base64, where no line end can be mended any more. */
const body = (value: unknown, name: string): string => wellFormed(value, name).replace(/\r\n?|\n/g, '\r\n');

const bytesOf = (part: unknown): number => (typeof part === 'string' || isUint8Array(part) ? Buffer.byteLength(part) : 0);

// What waits for its turn is held in memory.
const SMALL = 32 * 1024;

const notComposed = (cause: unknown): SmtpSourceError =>
  new SmtpSourceError({ phase: 'body', cause, message: `The message could not be composed: ${sentence(reasonOf(cause))} Mend what it holds, or send it as "raw".` });

/** @param opened is told of each attachment that is opened, when its turn has come. */
const compiled = ({ MailComposer, table }: Composer, header: ComposerOptions, attachments: readonly CheckedAttachment[], opened: OpenContent[]): Part => {
  // The composer takes for a field what anybody hung on Object.prototype.
  const parts = attachments.map((attachment, index) => bare({
    ...described(attachment, index + 1, table),
    content: handedOver(attachment) ?? Readable.from(read(attachment, opened), { objectMode: false }),
  }));
  return labelled(new MailComposer(bare({ ...header, attachments: parts })).compile());
};

const streamed = (composer: Composer, header: ComposerOptions, attachments: readonly CheckedAttachment[]): OpenContent => {
  const spent = attachments.find(({ content }) => content.isSpent);
  if (spent !== undefined) throw readTwice(`The content of ${spent.place}`);
  const opened: OpenContent[] = [];
  const release = (): void => {
    for (const { content } of attachments) content.discard();
    for (const content of opened) content.dispose();
  };
  const output = compiled(composer, header, attachments, opened).createReadStream();
  output.once('close', release);
  const content = open(output);
  return { ...content, dispose: () => { content.dispose(); release(); } };
};

const ENCODING = 'Content-Transfer-Encoding';

/** RFC 2045 section 6.2: what holds a part of 8 bits has 8 bits itself, which the composer leaves unsaid. */
const labelled = (part: Part): Part => {
  const encodings = part.childNodes.map((child) => labelled(child).getHeader(ENCODING));
  if (encodings.includes('8bit')) part.setHeader(ENCODING, '8bit');
  return part;
};

const written = ({ name, mailbox }: HeaderAddress): { name: string; address: string } => ({ name, address: mailbox.path });

const checkDate = (value: unknown): Date => {
  if (value === undefined) return new Date();
  if (!isDate(value) || Number.isNaN(value.getTime())) throw usage('The field "date" must be a valid Date.');
  // RFC 5322 section 3.3: four digits, and none before 1900.
  if (value.getUTCFullYear() < 1900 || value.getUTCFullYear() > 9999) throw usage('The field "date" must lie in the years 1900 to 9999.');
  return new Date(value);
};
