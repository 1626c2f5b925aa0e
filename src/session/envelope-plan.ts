import type { OpenContent } from '../message/content.js';
import type { CheckedRecipient } from '../message/envelope.js';
import type { Mail } from '../message/mail.js';
import { xtext } from '../protocol/address.js';
import { mail as mailCommand, rcpt, type Command } from '../protocol/command.js';
import { CanonicalLines, measure } from '../protocol/dot-stuffing.js';
import { SmtpUsageError } from '../protocol/error.js';
import type { WarningEvent } from '../protocol/event.js';
import { makeReply, type Reply } from '../protocol/reply.js';
import type { Session } from './session.js';

/** The commands of one envelope, fitted to what the server offers; nothing was written yet. */
export interface EnvelopePlan {
  readonly mail: Command;
  readonly recipients: readonly { readonly given: string; readonly command: Command }[];
  /** Recipients that cannot be told to this server at all. */
  readonly impossible: readonly { readonly recipient: string; readonly reply: Reply }[];
  /** Octets of the message, where they are known beforehand. */
  readonly size: number | undefined;
  /** The server takes bytes above 127 (RFC 6152). */
  readonly eightBit: boolean;
  /** Content that may go out with its envelope in one write. */
  readonly atOnce: Buffer | undefined;
  readonly warnings: readonly WarningEvent[];
  /** Why nothing is to be written. */
  readonly failure: SmtpUsageError | undefined;
}

/** MAIL and RCPT with the parameters that are needed and offered: SIZE, BODY, SMTPUTF8, DSN, REQUIRETLS. */
export const planEnvelope = (session: Session, message: Mail, content: OpenContent): EnvelopePlan => {
  const { capabilities, wire } = session;
  const { from, to } = message.envelope;
  const measured = content.kind === 'bytes' ? measure(content.bytes) : undefined;
  const size = measured?.bytes ?? message.size;
  const eightBit = capabilities.has('8BITMIME');
  const utf8 = capabilities.has('SMTPUTF8');
  const dsn = capabilities.has('DSN');
  const wantsDsn = message.dsn !== undefined || to.some(({ notify, orcpt }) => notify !== undefined || orcpt !== undefined);
  const possible = utf8 ? to : to.filter(({ mailbox }) => !mailbox.utf8);
  const needsUtf8 = utf8 && (from?.utf8 === true || possible.some(({ mailbox }) => mailbox.utf8));
  const parameters = [
    ...(size !== undefined && capabilities.has('SIZE') ? [`SIZE=${String(size)}`] : []),
    // A stream may hold anything; content that is known to be plain ASCII needs no word about it.
    ...((measured?.eightBit ?? true) && eightBit ? ['BODY=8BITMIME'] : []),
    ...(needsUtf8 ? ['SMTPUTF8'] : []),
    ...(dsn && message.dsn?.ret !== undefined ? [`RET=${message.dsn.ret}`] : []),
    ...(dsn && message.dsn?.envid !== undefined ? [`ENVID=${xtext(message.dsn.envid)}`] : []),
    ...(message.requireTls === true ? ['REQUIRETLS'] : []),
  ];
  const usage = (text: string): SmtpUsageError => new SmtpUsageError({ phase: 'mail', message: `${wire.context.peer} ${text}` });
  const limit = capabilities.sizeLimit;
  const failure =
    size !== undefined && limit !== undefined && size > limit ? usage(`takes at most ${String(limit)} bytes, and the message has ${String(size)}. Send less, or a link.`)
      : from?.utf8 === true && !utf8 ? usage('does not offer SMTPUTF8, which the sender\'s address needs. Use an ASCII address.')
        : message.requireTls === true && (wire.stream.tls === undefined || !capabilities.has('REQUIRETLS')) ? usage('cannot promise TLS all the way (REQUIRETLS, RFC 8689). Leave "requireTls" out, or use another server.')
          : undefined;
  return {
    mail: mailCommand(from?.path ?? '', parameters),
    recipients: possible.map((recipient) => ({ given: recipient.given, command: rcpt(recipient.mailbox.path, dsn ? notification(recipient, message) : []) })),
    impossible: (possible.length === to.length ? [] : to.filter(({ mailbox }) => mailbox.utf8)).map(({ given }) => ({ recipient: given, reply: NEEDS_SMTPUTF8 })),
    size, eightBit,
    atOnce: content.kind === 'bytes' && measured !== undefined && content.bytes.length <= MOST_AT_ONCE && session.chunks && possible.length > 0 && (eightBit || !measured.eightBit) ? canonical(content.bytes, measured.bytes) : undefined,
    warnings: wantsDsn && !dsn ? [{ type: 'warning', code: 'W_DSN', message: `${wire.context.peer} does not offer DSN: no delivery status was asked for.` }] : [],
    failure,
  };
};

// Larger content is better cut into chunks, and not sent at all to nobody.
const MOST_AT_ONCE = 256 * 1024;

const canonical = (bytes: Buffer, size: number): Buffer => {
  // Only line ends that were mended make content longer.
  if (bytes.length === size) return bytes;
  const encoder = new CanonicalLines();
  return Buffer.concat([encoder.encode(bytes), encoder.end()]);
};

const notification = ({ notify, orcpt }: CheckedRecipient, { dsn }: Mail): readonly string[] => {
  const when = notify ?? dsn?.notify;
  return [
    ...(when === undefined ? [] : [`NOTIFY=${when.join(',')}`]),
    ...(orcpt === undefined ? [] : [`ORCPT=${orcpt.replace(/;(.*)$/s, (_, address: string) => `;${xtext(address)}`)}`]),
  ];
};

// RFC 6531 section 3.5: what the server would have to say to such an address. It is never asked.
const NEEDS_SMTPUTF8: Reply = makeReply(553, ['5.6.7 This address needs SMTPUTF8, which the server does not offer']);
