import { LOCAL_LIMIT, parseMailbox, xtext, type Mailbox } from '../protocol/address.js';
import type { Envelope, Recipient } from '../protocol/envelope.js';
import { fields, unlike, usage } from './fields.js';

/** One recipient, checked. */
export interface CheckedRecipient {
  /** The address as the caller wrote it. */
  readonly given: string;
  readonly mailbox: Mailbox;
  readonly notify?: NonNullable<Recipient['notify']>;
  readonly orcpt?: string;
}

/** An envelope whose addresses can go into commands. */
export interface CheckedEnvelope {
  /** `null` is the empty reverse-path. */
  readonly from: Mailbox | null;
  readonly to: readonly CheckedRecipient[];
  /** Some of the recipients need SMTPUTF8. */
  readonly utf8: boolean;
  /** A delivery status is wanted for some of them. */
  readonly dsn: boolean;
  /** As the caller gave it, each recipient once. Frozen: every receipt tells it. */
  readonly envelope: Envelope;
}

/** One mail goes to at most so many; a longer list wants several mails. */
const MOST_RECIPIENTS = 10_000;

const NOT_DERIVED: Partial<Envelope> = {};

/** @param derived what the message tells itself. @throws SmtpUsageError naming the field that cannot be used. */
export const checkEnvelope = (given: unknown, derived = NOT_DERIVED): CheckedEnvelope => {
  const { from = derived.from, to = derived.to, longLocalParts } = fields(given, { path: 'envelope', noun: 'field', known: ['from', 'to', 'longLocalParts'] });
  if (longLocalParts !== undefined && typeof longLocalParts !== 'boolean') throw usage('The field "envelope.longLocalParts" must be true or false.');
  if (!Array.isArray(to) || to.length === 0) throw usage('The field "envelope.to" must be a list with at least one recipient.');
  if (to.length > MOST_RECIPIENTS) throw usage(`The field "envelope.to" holds more than ${String(MOST_RECIPIENTS)} recipients. Split the list into several mails.`);
  const sender = checkSender(from);
  const mostLocal = longLocalParts === true ? Infinity : LOCAL_LIMIT;
  const recipients: CheckedRecipient[] = [];
  const asked: (string | Recipient)[] = [];
  const known = to.length > 1 ? new Set<string>() : undefined;
  let utf8 = false;
  let dsn = false;
  for (let index = 0; index < to.length; index += 1) {
    const recipient = checkRecipient(to[index], index, mostLocal);
    const key = keyOf(recipient.mailbox);
    if (known?.has(key) === true) continue;
    known?.add(key);
    recipients.push(recipient);
    utf8 ||= recipient.mailbox.utf8;
    dsn ||= recipient.notify !== undefined || recipient.orcpt !== undefined;
    asked.push(typeof to[index] === 'string' ? recipient.given : asGiven(recipient));
  }
  return { from: sender === null ? null : parseMailbox(sender, 'envelope.from', 'sender', mostLocal), to: recipients, utf8, dsn, envelope: Object.freeze({ from: sender, to: Object.freeze(asked), ...(longLocalParts === true ? { longLocalParts } : {}) }) };
};

/** RFC 5321 section 4.1.1.3: who has no domain is Postmaster, in whatever case. */
const keyOf = ({ path }: Mailbox): string => (path.includes('@') ? path : path.toLowerCase());

const checkSender = (from: unknown): string | null => {
  if (from === null) return null;
  if (from === undefined) throw usage('The field "envelope.from" is missing. Give an address, or null for the empty reverse-path.');
  if (typeof from !== 'string' || from === '' || from === '<>') throw usage('The field "envelope.from" must be an address, or null for the empty reverse-path.');
  return from;
};

const checkRecipient = (recipient: unknown, index: number, mostLocal: number): CheckedRecipient => {
  if (typeof recipient === 'string') return { given: recipient, mailbox: parseMailbox(recipient, () => placeOf(index), 'recipient', mostLocal) };
  const path = placeOf(index);
  const { address, notify, orcpt } = fields(recipient, { path, noun: 'field', known: ['address', 'notify', 'orcpt'] });
  if (typeof address !== 'string') throw unlike(`The field "${path}.address"`, 'a string', address);
  return {
    given: address,
    mailbox: parseMailbox(address, `${path}.address`, 'recipient', mostLocal),
    ...(notify === undefined ? {} : { notify: checkNotify(notify, `${path}.notify`) }),
    ...(orcpt === undefined ? {} : { orcpt: checkOrcpt(orcpt, `${path}.orcpt`) }),
  };
};

const placeOf = (index: number): string => `envelope.to[${String(index)}]`;

const asGiven = ({ given, notify, orcpt }: CheckedRecipient): Recipient =>
  Object.freeze({ address: given, ...(notify === undefined ? {} : { notify }), ...(orcpt === undefined ? {} : { orcpt }) });

const NOTIFY = ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'] as const;

/** RFC 3461 section 4.1: NEVER stands alone. */
export const checkNotify = (value: unknown, name: string): NonNullable<Recipient['notify']> => {
  const words = Array.isArray(value) ? NOTIFY.filter((word) => value.includes(word)) : [];
  if (!Array.isArray(value) || value.length === 0 || value.length !== words.length) throw usage(`The field "${name}" must be a list of ${NOTIFY.join(', ')}, each at most once.`);
  if (words.length > 1 && words.includes('NEVER')) throw usage(`The field "${name}" holds NEVER, which stands alone.`);
  return Object.freeze(words);
};

// RFC 3461 section 4.2: an address type and the address, at most 500 characters as they are written.
const checkOrcpt = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || !/^[a-z0-9-]+;[ -~]+$/i.test(value)) throw usage(`The field "${name}" must be an address type and an address in ASCII, as in "rfc822;user@example.com".`);
  if (value.length > 500 || xtext(value).length > 500) throw usage(`The field "${name}" has more than 500 characters, where a blank, "+" and "=" are three. Shorten it, or leave it out.`);
  return value;
};
