import type { OpenContent } from '../message/content.js';
import type { CheckedRecipient } from '../message/envelope.js';
import type { Mail } from '../message/mail.js';
import { xtext } from '../protocol/address.js';
import { mailFrom, rcptTo, type Command } from '../protocol/command.js';
import { canonical, measure } from '../protocol/content-encoder.js';
import { SmtpUsageError, type SmtpSourceError } from '../protocol/error.js';
import type { WarningEvent } from '../protocol/event.js';
import { EIGHT_BIT, sourceFailed, tooLarge } from '../wire/content-failures.js';
import type { Wire } from '../wire/wire.js';
import type { Offers } from './offers.js';
import type { Session } from './session.js';
import { mayBeAnybody } from './weak-tls.js';

/** Some of a mail's recipients, where the others can be told to the server in another transaction. */
export interface Part {
  /** Those without a verdict. Not all of them must be named, and a server may have too many in those that are. */
  readonly due: readonly CheckedRecipient[];
  /** No more than so many are to be named. */
  readonly most: number;
  /** Those that are named in this transaction, without those that the server then had too many of: whom its content may reach. */
  named: readonly CheckedRecipient[];
  /** The server hung up on one more than so many of them, 0 where it did not. */
  borne: number;
}

/** The commands of one envelope, fitted to what the server offers; nothing was written yet. */
export interface EnvelopePlan {
  /** MAIL and one RCPT for each of `recipients`. */
  readonly commands: readonly Command[];
  readonly recipients: readonly CheckedRecipient[];
  /** Recipients that are too many wait for another transaction; undefined where there can be none. */
  readonly part: Part | undefined;
  /** Recipients that cannot be told to this server at all. */
  readonly impossible: readonly CheckedRecipient[];
  /** Octets of the message, where they are known beforehand. */
  readonly size: number | undefined;
  /** Content goes out in counted chunks, binary content also where each waits for its reply. Decided once: what the server is found to bear meanwhile concerns other mails. */
  readonly chunks: boolean;
  /** The server takes bytes above 127 (RFC 6152). */
  readonly eightBit: boolean;
  /** Content in canonical lines that is all there, and small enough to go out in one write. */
  readonly whole: Buffer | undefined;
  readonly warnings: readonly WarningEvent[];
  /** Why nothing is to be written. */
  readonly failure: SmtpUsageError | SmtpSourceError | undefined;
}

/** MAIL and RCPT with the parameters that are needed and offered: SIZE, BODY, SMTPUTF8, DSN, REQUIRETLS. */
export const planEnvelope = (session: Session, mail: Mail, content: OpenContent, part: Part | undefined): EnvelopePlan => {
  const { offers } = session;
  const { envelope, binary = false } = mail;
  const measured = content.kind !== 'bytes' ? undefined : binary ? { bytes: content.bytes.length, eightBit: true } : measure(content.bytes);
  const size = measured === undefined ? mail.size : measured.bytes;
  // A stream may hold anything; content that is known to be plain ASCII needs no word about it.
  const isPlain = measured === undefined ? mail.ascii === true : !measured.eightBit;
  const to = part === undefined ? envelope.to : part.due;
  const possible = offers.utf8 || !envelope.utf8 ? to : to.filter(({ mailbox }) => !mailbox.utf8);
  const recipients = part === undefined ? possible : (session.quota?.fitting(possible) ?? possible).slice(0, part.most);
  const wantsDsn = envelope.dsn || mail.dsn !== undefined;
  const asksForDsn = wantsDsn && offers.dsn;
  const saysUtf8 = offers.utf8 && needsUtf8(mail);
  // A server that takes SMTPUTF8 takes such bytes as well, told or not (RFC 6531 section 3.1).
  const eightBit = offers.eightBit || saysUtf8;
  const body = binary ? ' BODY=BINARYMIME' : offers.eightBit && !isPlain ? ' BODY=8BITMIME' : '';
  const commands = [mailFrom(envelope.from?.path ?? '', sizeParameter(offers, size) + body + (saysUtf8 ? ' SMTPUTF8' : '') + rareParameters(offers, mail))];
  recipients.forEach((recipient) => { commands.push(rcptTo(recipient.mailbox.path, asksForDsn ? notification(recipient, mail) : '')); });
  const isWhole = content.kind === 'bytes' && content.bytes.length <= MOST_IN_ONE_WRITE && recipients.length > 0;
  return {
    commands, recipients, size, chunks: session.chunks || (binary && offers.chunking), eightBit, part,
    impossible: possible === to ? NOBODY : to.filter(({ mailbox }) => mailbox.utf8),
    whole: isWhole ? mended(content.bytes, size ?? 0) : undefined,
    warnings: wantsDsn && !offers.dsn ? [{ type: 'warning', code: 'W_DSN', message: `${session.wire.context.peer} does not offer DSN: no delivery status was asked for.` }] : NO_WARNINGS,
    failure: obstacle(session, mail, size) ?? (measured?.eightBit === true && !binary && !eightBit ? sourceFailed(session.wire, 0, EIGHT_BIT) : undefined),
  };
};

const NOBODY: readonly CheckedRecipient[] = [];
const NO_WARNINGS: readonly WarningEvent[] = [];

const sizeParameter = (offers: Offers, size: number | undefined): string => (offers.size && size !== undefined ? ` SIZE=${String(size)}` : '');

/** All of it, whoever is named in this transaction. */
const needsUtf8 = ({ utf8: headerNeedsUtf8, envelope: { from, utf8 } }: Mail): boolean => headerNeedsUtf8 === true || from?.utf8 === true || utf8;

const rareParameters = (offers: Offers, { dsn, requireTls }: Mail): string => {
  let parameters = '';
  if (dsn !== undefined && offers.dsn) parameters += (dsn.ret === undefined ? '' : ` RET=${dsn.ret}`) + (dsn.envid === undefined ? '' : ` ENVID=${xtext(dsn.envid)}`);
  return requireTls === true ? `${parameters} REQUIRETLS` : parameters;
};

/** What this server cannot do for this mail. */
const obstacle = ({ offers, wire, settings }: Session, { envelope: { from }, requireTls, binary, utf8, isComposed, atLeast = 0 }: Mail, size: number | undefined): SmtpUsageError | undefined => {
  const { sizeLimit } = offers;
  if (sizeLimit !== undefined && (size ?? atLeast) > sizeLimit) return tooLarge(wire, 'mail', sizeLimit, size ?? atLeast, size !== undefined);
  if (from?.utf8 === true && !offers.utf8) return unable(wire, 'does not offer SMTPUTF8, which the sender\'s address needs. Use an ASCII address.');
  if (utf8 === true && !offers.utf8) return unable(wire, `does not offer SMTPUTF8, which ${isComposed === true ? OF_FIELDS : OF_HEADER}`);
  if (requireTls === true && (wire.stream.tls === undefined || !offers.requireTls)) return unable(wire, 'cannot promise TLS all the way (REQUIRETLS, RFC 8689). Leave "requireTls" out, or use another server.');
  // RFC 8689 section 4.2.1: the server's certificate must have been verified.
  if (requireTls === true && mayBeAnybody(settings.tls)) return unable(wire, 'may be anybody, because "tls.rejectUnauthorized" is false, and a mail with "requireTls" goes to a verified server only. Give its certificate in "tls.fingerprints", or leave that option out and give its authority in "tls.ca".');
  if (binary === true && !(offers.chunking && offers.binary)) return unable(wire, 'takes no binary content here, which needs BINARYMIME and CHUNKING (RFC 3030). Encode the content as base64 and leave "binary" out, or use another server.');
  return undefined;
};

const OF_FIELDS = 'an address in "from", "sender", "to", "cc" or "replyTo" needs. Use ASCII addresses there.';
const OF_HEADER = '"smtpUtf8" asks for. Write the header in ASCII and leave that out, or use another server.';

const unable = ({ context: { peer } }: Wire, text: string): SmtpUsageError => new SmtpUsageError({ phase: 'mail', message: `${peer} ${text}` });

// Larger content is better cut into chunks, and not sent at all to nobody.
const MOST_IN_ONE_WRITE = 256 * 1024;

/** Only line ends that are mended make content longer. */
const mended = (bytes: Buffer, size: number): Buffer => (bytes.length === size ? bytes : canonical(bytes));

const notification = ({ notify, orcpt }: CheckedRecipient, { dsn }: Mail): string => {
  const when = notify ?? dsn?.notify;
  return (when === undefined ? '' : ` NOTIFY=${when.join(',')}`)
    + (orcpt === undefined ? '' : ` ORCPT=${xtext(orcpt)}`);
};
