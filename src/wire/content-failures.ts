import { reasonOf, sentence, SmtpProtocolError, SmtpReplyError, SmtpSourceError, SmtpUsageError, type Phase, type SmtpError } from '../protocol/error.js';
import { remedyFor } from '../protocol/remedy.js';
import { formatReply, isPositive, isRefusal, type Reply } from '../protocol/reply.js';
import type { Wire } from './wire.js';

/** The server answered content before its end; `hasLeft` tells whether that end is on the way all the same. */
export const early = (wire: Wire, command: string, reply: Reply, hasLeft = false): SmtpError =>
  isRefusal(reply)
    ? new SmtpReplyError({ phase: 'body', reply, command, transcript: wire.transcript(), message: `${wire.context.peer} refused the content before its end: ${sentence(formatReply(reply))} ${remedyFor(reply)}` })
    : new SmtpProtocolError('E_PROTOCOL', { phase: 'body', reply, outcome: isPositive(reply) || hasLeft ? 'unknown' : 'not-sent', transcript: wire.transcript(), message: `${wire.context.peer} answered ${formatReply(reply)} before the end of the content. It may hold a truncated copy; set "pipelining" to false for this server, or ask its operator.` });

/** The end of content was taken, and a chunk of it was refused before. */
export const takenInPart = (wire: Wire, reply: Reply, refused: Reply | undefined): SmtpProtocolError => {
  wire.mustDrop = true;
  return new SmtpProtocolError('E_PROTOCOL', {
    phase: 'end-of-data', reply, outcome: 'unknown', transcript: wire.transcript(),
    message: `${wire.context.peer} answered the end of the content with ${sentence(formatReply(reply))} Before that, it had refused a chunk${refused === undefined ? '.' : `: ${sentence(formatReply(refused))}`} It may hold a copy with a gap; set "pipelining" to false for this server, or ask its operator.`,
  });
};

/** The message's own source failed, or gave what cannot be sent: that would be the same another time. */
export const sourceFailed = (wire: Wire, bytes: number, failure: unknown): SmtpSourceError => {
  const { cause, retryable } = failure instanceof SmtpSourceError ? failure : { cause: failure, retryable: failure !== EIGHT_BIT };
  return new SmtpSourceError({
    phase: 'body', cause, retryable, transcript: wire.transcript(),
    message: `The message's own content failed after ${String(bytes)} bytes: ${sentence(reasonOf(failure))} The mail was not sent; mend its source.`,
  });
};

/** @param isAll more than these bytes it does not have. */
export const tooLarge = (wire: Wire, phase: Phase, sizeLimit: number, bytes: number, isAll: boolean): SmtpUsageError =>
  new SmtpUsageError({
    phase, transcript: wire.transcript(),
    message: `${wire.context.peer} takes at most ${String(sizeLimit)} bytes, and the message has ${isAll ? '' : 'at least '}${String(bytes)}. Send less, or a link.`,
  });

/** RFC 6152 section 3: without 8BITMIME such bytes must not be sent under any circumstances. */
export const EIGHT_BIT = new Error('it holds bytes above 127, and the server does not offer 8BITMIME; encode it as quoted-printable or base64, or attach a message with the contentType "application/octet-stream"');
