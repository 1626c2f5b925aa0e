import { map, type OperatorFunction } from 'rxjs';
import { sentence, SmtpProtocolError, SmtpReplyError, withoutRetry, type Phase, type SmtpError } from '../protocol/error.js';
import { formatReply, isRefusal, type Reply } from '../protocol/reply.js';
import { remedyForBroken } from '../wire/failures.js';
import type { Wire } from '../wire/wire.js';

/** A refusal, told with the server's own words. */
export const refusal = (wire: Wire, phase: Phase, command: string, reply: Reply, hint: string, recipient?: string): SmtpReplyError =>
  new SmtpReplyError({
    phase, reply, command, recipient, transcript: wire.transcript({ command, reply }),
    message: `${wire.context.peer} refused ${command}: ${sentence(formatReply(reply))} ${hint}`,
  });

export const TLS_FIRST = 'It wants TLS first: set "security" to "starttls" or "implicit".';

/** RFC 3207 section 4. The code may also ask for a sign-in, so that the words decide. */
export const wantsTls = ({ code, lines }: Reply, { stream }: Wire): boolean => code === 530 && stream.tls === undefined && /\b(?:START)?TLS\b/i.test(lines.join(' '));

/** Some servers say so when TLS stands already, in the first thing that they say. */
const wantsCertificate = ({ lines }: Reply): boolean => /\bclient certificate\b/i.test(lines.join(' '));

/** A reply that RFC 5321 section 4.3.2 does not know for this command: the wire is out of step and only dropping it is right. */
export const unexpected = (wire: Wire, phase: Phase, command: string, reply: Reply): SmtpProtocolError => {
  wire.mustDrop = true;
  return new SmtpProtocolError('E_PROTOCOL', {
    phase, reply, transcript: wire.transcript({ command, reply }),
    message: `${wire.context.peer} answered ${command} with ${formatReply(reply)}, which is no answer to it. ${remedyForBroken(phase)}`,
  });
};

/** Why a reply that is not the right one stops the mail. */
export const failureOf = (wire: Wire, phase: Phase, command: string, reply: Reply, hint: string): SmtpError =>
  isRefusal(reply) ? refusal(wire, phase, command, reply, hint) : unexpected(wire, phase, command, reply);

/** Goes on from the one right code; 4yz and 5yz are a refusal, the rest breaks the protocol. */
export const onCode = <T>(code: number, { wire, phase, command, hint }: Expected, goOn: (reply: Reply) => T): OperatorFunction<Reply, T> =>
  map((reply) => {
    if (reply.code === code) return goOn(reply);
    // With the same certificate it says the same, whatever its code.
    if (isRefusal(reply) && wantsCertificate(reply)) throw withoutRetry(refusal(wire, phase, command, reply, 'Give a client certificate that it knows, in "tls.cert" and "tls.key".'));
    throw failureOf(wire, phase, command, reply, hint(reply));
  });

/** What a reply is to, and what to do where it is a refusal. */
interface Expected {
  readonly wire: Wire;
  readonly phase: Phase;
  readonly command: string;
  readonly hint: (reply: Reply) => string;
}
