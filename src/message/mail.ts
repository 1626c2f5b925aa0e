import { isUint8Array } from 'node:util/types';
import { concatMap, defer, from, map, tap, type Observable } from 'rxjs';
import { xtext } from '../protocol/address.js';
import { ownValue } from '../protocol/bare.js';
import { reasonOf, sentence, SmtpError, SmtpUsageError } from '../protocol/error.js';
import { composition, COMPOSED_FIELDS, loadComposer } from './compose.js';
import { A_CONTENT, isContent, source, type OpenContent, type Source } from './content.js';
import { NAMED_ELSEWHERE } from './elsewhere.js';
import { checkEnvelope, checkNotify, type CheckedEnvelope } from './envelope.js';
import { fields, unlike, usage } from './fields.js';
import { findMessageId, wellFormed } from './header.js';
import type { DeliveryOptions, Message, RawMessage } from './message.js';

/** A message as the lower floors send it. */
export interface Mail {
  readonly envelope: CheckedEnvelope;
  readonly messageId: string | undefined;
  /** Bytes, where they were declared. */
  readonly size: number | undefined;
  /** Bytes that it has at least, where more is not known. */
  readonly atLeast?: number;
  /** Its header needs SMTPUTF8 (RFC 6531 section 3.4). A finished message is not read for it, and has to say so. */
  readonly utf8?: boolean;
  /** Its content is ASCII, as far as it is not at hand to be looked at. */
  readonly ascii?: boolean;
  /** The content must not be changed. */
  readonly binary?: boolean;
  readonly dsn?: DeliveryOptions['dsn'] | undefined;
  readonly requireTls?: boolean;
  /** It can be opened more than once, so that a retry can send it. */
  readonly replayable: boolean;
  /** It was given in parts. */
  readonly isComposed?: boolean;
  /** @throws SmtpUsageError where it can be read only once and was; SmtpSourceError where its content cannot be opened. */
  open(): OpenContent;
  /** Destroys what can be read only once and never was opened. */
  discard(): void;
}

/** A message that was taken charge of. */
export type Draft = Mail | Observable<Mail>;

/**
 * Takes a message when `send()` is called: what every retry must keep, its Message-ID and Date, is fixed now. A message in
 * parts waits for its composer; one that cannot be sent is an `SmtpUsageError` at each subscription, never here.
 */
export const draft = (message: Message): Draft => {
  try {
    return check(message);
  } catch (error) {
    const failure = error instanceof SmtpError ? error : new SmtpUsageError({ cause: error, message: `The message cannot be read: one of its properties throws: ${sentence(reasonOf(error))}` });
    const sources = failure === error ? sourcesOf(message) : [];
    return defer(() => {
      for (const unused of sources) unused.discard();
      throw failure;
    });
  }
};

const DELIVERY_FIELDS = ['dsn', 'requireTls'] as const;
const RAW_FIELDS = ['envelope', 'raw', 'size', 'binary', 'smtpUtf8', ...DELIVERY_FIELDS] as const;

const IN_CONTENT = 'belongs to composed messages; a raw message brings its own header and parts.';
const IN_RAW = 'belongs to raw messages.';
const UTF8_IS_FOUND = `${IN_RAW} What a composed message needs is found in its addresses.`;
const NOT_IN_COMPOSED = { ...NAMED_ELSEWHERE, raw: IN_RAW, size: IN_RAW, binary: IN_RAW, smtpUtf8: UTF8_IS_FOUND };
const ONLY_COMPOSED = Object.fromEntries(COMPOSED_FIELDS.filter((name) => name !== 'envelope').map((name) => [name, IN_CONTENT]));
const NOT_IN_RAW = { ...NAMED_ELSEWHERE, ...ONLY_COMPOSED };

const check = (message: unknown): Draft => {
  // Who hands every field on gives a composed message a `raw` of nothing.
  const isRaw = typeof message === 'object' && message !== null && Object.hasOwn(message, 'raw') && (!Object.hasOwn(message, 'from') || (message as Partial<RawMessage>).raw !== undefined);
  return isRaw ? checkRaw(message) : checkComposed(message);
};

const checkRaw = (message: object): Mail => {
  const given = fields(message, { path: '', noun: 'message field', known: RAW_FIELDS, refused: NOT_IN_RAW });
  const { raw, envelope, size, binary, smtpUtf8 } = given;
  if (!isContent(raw)) throw unlike('The message field "raw"', A_CONTENT, raw);
  checkSize(size);
  checkFlag('binary', binary);
  checkFlag('smtpUtf8', smtpUtf8);
  const messageId = typeof raw === 'string' || isUint8Array(raw) ? findMessageId(raw) : undefined;
  return new RawMail(source(raw), checkEnvelope(envelope), messageId, size, binary === true, smtpUtf8 === true, delivery(given));
};

class RawMail implements Mail {
  readonly envelope: CheckedEnvelope;
  readonly messageId: string | undefined;
  readonly size: number | undefined;
  readonly binary: boolean;
  readonly utf8: boolean;
  readonly dsn: Mail['dsn'];
  readonly requireTls: boolean;
  readonly #content: Source;

  constructor(content: Source, envelope: CheckedEnvelope, messageId: string | undefined, size: number | undefined, binary: boolean, utf8: boolean, { dsn, requireTls = false }: DeliveryOptions) {
    this.#content = content;
    this.envelope = envelope;
    this.messageId = messageId;
    this.size = size;
    this.binary = binary;
    this.utf8 = utf8;
    this.dsn = dsn;
    this.requireTls = requireTls;
  }

  get replayable(): boolean {
    return this.#content.replayable;
  }

  open(): OpenContent {
    return this.#content.open();
  }

  discard(): void {
    this.#content.discard();
  }
}

const checkComposed = (message: unknown): Observable<Mail> => {
  const given = fields(message, { path: '', noun: 'message field', known: [...COMPOSED_FIELDS, ...DELIVERY_FIELDS], refused: NOT_IN_COMPOSED });
  const composed = composition(given);
  const { envelope, messageId, replayable, utf8, ascii, atLeast } = composed;
  const asked = delivery(given);
  const discard = (): void => { composed.discard(); };
  return defer(() => from(loadComposer())).pipe(
    concatMap((composer) => composed.compose(composer)),
    map((open): Mail => ({ envelope, messageId, size: undefined, atLeast, utf8, ascii, replayable, isComposed: true, open, discard, ...asked })),
    tap({ error: discard, unsubscribe: discard }),
  );
};

function checkSize(size: unknown): asserts size is number | undefined {
  if (size !== undefined && (!Number.isSafeInteger(size) || (size as number) < 0)) throw usage('The message field "size" must be a number of bytes: whole, and not negative.');
}

function checkFlag(field: string, value: unknown): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw usage(`The message field "${field}" must be true or false.`);
}

const NOTHING_ASKED: DeliveryOptions = {};

const delivery = ({ dsn, requireTls }: { readonly dsn?: unknown; readonly requireTls?: unknown }): DeliveryOptions => {
  if (dsn === undefined && requireTls === undefined) return NOTHING_ASKED;
  checkFlag('requireTls', requireTls);
  return { ...(dsn === undefined ? {} : { dsn: checkDsn(dsn) }), ...(requireTls === undefined ? {} : { requireTls }) };
};

const checkDsn = (given: unknown): NonNullable<DeliveryOptions['dsn']> => {
  const { ret, envid, notify } = fields(given, { path: 'dsn', noun: 'message field', known: ['ret', 'envid', 'notify'], refused: { recipient: 'is "orcpt" of a recipient in "envelope.to" here.', id: 'is called "envid" here.', return: 'is called "ret" here, and is "FULL" or "HDRS".' } });
  if (ret !== undefined && ret !== 'FULL' && ret !== 'HDRS') throw usage('The message field "dsn.ret" must be "FULL" or "HDRS".');
  // RFC 3461 section 4.4: at most 100 as they are written.
  if (envid !== undefined && (!/^[ -~]{1,100}$/.test(wellFormed(envid, 'dsn.envid')) || xtext(envid as string).length > 100)) throw usage('The message field "dsn.envid" must be 1 to 100 printable ASCII characters, where a blank, "+" and "=" are three.');
  return {
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid: envid as string }),
    ...(notify === undefined ? {} : { notify: checkNotify(notify, 'dsn.notify') }),
  };
};

/** The contents of a message that may turn out to be unusable: taken charge of all the same. */
const sourcesOf = (message: unknown): readonly Source[] => {
  const own = (value: unknown, key: string): unknown => {
    try {
      return typeof value === 'object' && value !== null ? ownValue(value as Readonly<Record<string, unknown>>, key) : undefined;
    } catch {
      return undefined;
    }
  };
  const attachments = own(message, 'attachments');
  const contents = [own(message, 'raw'), ...(Array.isArray(attachments) ? Array.from(attachments as readonly unknown[], (attachment) => own(attachment, 'content')) : [])];
  return contents.filter(isContent).map(source);
};
