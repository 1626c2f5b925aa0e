import type { SchedulerLike } from 'rxjs';
import type { Command } from '../protocol/command.js';
import { codeOf, IN_DOUBT, outcomeOf, reasonOf, sentence, SmtpConnectionError, SmtpProtocolError, SmtpReplyError, type Phase, type SmtpError } from '../protocol/error.js';
import type { LogLine } from '../protocol/log-line.js';
import { formatReply, type Reply } from '../protocol/reply.js';
import type { Deadline } from '../transport/clock.js';
import { timeoutError } from '../transport/timeout-error.js';
import { lateRefusal } from '../transport/tls-error.js';
import type { Transcript } from './transcript.js';

/** Why a wire ended, as an error for whoever waits on it: in its own phase, and for its own command. */
export type Failure = (phase: Phase, command: Command) => SmtpError;

// What is due first on a new stream: the greeting, or after STARTTLS the reply to EHLO.
const FIRST_REPLIES: ReadonlySet<Phase> = new Set<Phase>(['greeting', 'hello']);

/** What is waited for: the reply that is due first, where that is another one than the reply to a command. */
export const waitingFor = (peer: string, command: Command, first = command): string =>
  `Waiting for ${peer} to answer ${first.toString()}${first === command ? '' : `, with ${command.toString()} on its way behind it`}`;

const inDoubtOr = (phase: Phase, remedy: string): string => (outcomeOf(phase) === 'unknown' ? `${IN_DOUBT} ${remedy}` : remedy);

/** What it did not do any more. Nothing was asked of a connection that was idle. */
const undone = (phase: Phase, command: Command): string => {
  switch (phase) {
    case 'greeting': return 'its greeting';
    case 'idle': return `${command.toString()} was sent`;
    default: return `it answered ${command.toString()}`;
  }
};

/** What to do about a server that breaks the protocol. One that has introduced itself is one of SMTP. */
export const remedyForBroken = (phase: Phase): string =>
  FIRST_REPLIES.has(phase) ? 'It is no SMTP server, or a broken one; check the host and port.' : inDoubtOr(phase, 'The server is broken or out of step; ask its operator.');

/** Bytes came behind the answer to STARTTLS, and could have been planted there. */
export const injected = (peer: string, transcript: readonly LogLine[]): SmtpProtocolError =>
  new SmtpProtocolError('E_INJECTION', {
    phase: 'starttls', transcript, message: `${peer} sent clear text behind its answer to STARTTLS, as someone in between would. Nothing of it was used. Use implicit TLS, or find out who is on the line.`,
  });

/** The ways in which a wire ends, told with the peer's name and what was said last. */
export class Failures {
  readonly #peer: string;
  readonly #transcript: Transcript;

  /** @param peer `host:port`. */
  constructor(peer: string, transcript: Transcript) {
    this.#peer = peer;
    this.#transcript = transcript;
  }

  /** The connection is no more. Where nothing had come in TLS, the handshake may have been refused so. */
  lost(cause: Error | undefined, isTlsSilent: boolean): Failure {
    const closed = this.closed(cause === undefined ? 'closed the connection' : `was lost (${codeOf(cause) ?? reasonOf(cause)})`, cause);
    return (phase, command) => (isTlsSilent && FIRST_REPLIES.has(phase) ? lateRefusal(cause, this.#peer, this.#transcript.lines()) : undefined) ?? closed(phase, command);
  }

  closed(how: string, cause?: Error): Failure {
    return (phase, command) => new SmtpConnectionError('E_CLOSED', {
      phase, transcript: this.#transcript.lines(), reason: codeOf(cause) ?? 'closed', retryable: true, cause,
      message: `${this.#peer} ${how} before ${undone(phase, command)}. ${outcomeOf(phase) === 'unknown' ? IN_DOUBT : 'The mail was not sent; try again later.'}`,
    });
  }

  /** The server said goodbye, and nothing had asked. It refuses what it was not told yet; content that has left is in doubt. */
  farewell(reply: Reply): Failure {
    const closed = this.closed('closed the connection');
    return (phase, command) => outcomeOf(phase) === 'unknown' ? closed(phase, command) : new SmtpReplyError({
      phase, reply, command: command.toString(), transcript: this.#transcript.lines(),
      message: `${this.#peer} closes the connection: ${sentence(formatReply(reply))} The mail was not sent; try again later.`,
    });
  }

  /** 221, which no QUIT had asked for: the server hangs up, or has hung up. */
  goodbye(reply: Reply): Failure {
    return this.closed(`said goodbye (${formatReply(reply)})`);
  }

  /** What came is no reply of SMTP. */
  malformed(asked: Command, why: string): Failure {
    return (phase) => this.#broken(phase, `answered ${asked.toString()} with what is no SMTP reply: ${why}`);
  }

  /** A reply came to nothing that was asked. */
  unasked(): Failure {
    return (phase) => this.#broken(phase, 'sent a reply that nothing had asked for');
  }

  /** A reply that cannot be one to its command: what became of content that has left cannot be told from those that follow. */
  outOfStep(asked: Command, reply: Reply): Failure {
    return (phase) => new SmtpProtocolError('E_PROTOCOL', {
      phase, reply, transcript: this.#transcript.lines(),
      message: `${this.#peer} answered ${asked.toString()} with ${formatReply(reply)}, which is no answer to it: its replies are out of step with what was asked. ${inDoubtOr(phase, 'Set "pipelining" to false for this server.')}`,
    });
  }

  injected(): Failure {
    return () => injected(this.#peer, this.#transcript.lines());
  }

  /** A limit ran out, for the command whose reply was due first. The one of QUIT is only told of where the server had said 421. */
  expired(scheduler: SchedulerLike, end: Deadline, first: Command | undefined): Failure {
    return end.limit === 'quit' ? this.closed('said goodbye, and no more,') : (phase, command) => timeoutError(scheduler, end, phase, waitingFor(this.#peer, command, first), this.#transcript.lines());
  }

  #broken(phase: Phase, what: string): SmtpProtocolError {
    return new SmtpProtocolError('E_PROTOCOL', {
      phase, transcript: this.#transcript.lines(), message: `${this.#peer} ${what}. ${remedyForBroken(phase)}`,
    });
  }
}
