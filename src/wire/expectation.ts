import type { Command } from '../protocol/command.js';
import { outcomeOf, type Phase, type SmtpError } from '../protocol/error.js';
import { isForeignYes, isPositive, type Reply } from '../protocol/reply.js';
import type { Wording } from './wording.js';

/** Who waits for replies: each of them, and then that all are there, or that no more will come. */
export interface ReplySink {
  next(reply: Reply): void;
  error(error: SmtpError): void;
  complete(): void;
}

// While these are outstanding, what is written next is content, a SASL response or a handshake.
const QUIT_IS_NO_COMMAND: ReadonlySet<Phase> = new Set<Phase>(['auth', 'starttls', 'data', 'body', 'end-of-data']);

// Before there is a mail, and at its end, nothing is sent behind another command: a wrong reply is told by whoever asked.
const IS_ALONE: ReadonlySet<Phase> = new Set<Phase>(['greeting', 'hello', 'starttls', 'auth', 'quit']);

/** Replies that are due: one to each of some commands, in their order. */
export class Expectation {
  readonly commands: readonly Command[];
  /** Whose reply is next, or came last. */
  command: Command;
  /** Where the mail is while the next reply is due. */
  phase: Phase;
  /** Undefined once nobody waits any more: the replies are read and dropped. */
  sink: ReplySink | undefined;
  /** Content went out right behind the last command, BDAT LAST: from then on only the reply to that decides. */
  readonly hasContent: boolean;
  /** Where the commands, and the content, begin and end in what the stream was given. Until they are written, nothing of them has left. */
  from = Infinity;
  to = Infinity;
  /** The server has all that it needs to answer, and its limit runs. Until content has ended, only what is read and written has one. */
  isOwed = true;
  /** What the server said to MAIL, if it was 221: then nothing comes but the end of the connection. */
  goodbye: Reply | undefined;
  /** The server refused RSET. */
  refusedReset = false;
  /** The server took the sender, so that it may take the content. */
  hasSender = false;
  #hasRecipient = false;
  #answered = 0;

  constructor(commands: readonly Command[], sink?: ReplySink, hasContent = false) {
    const first = commands[0];
    if (first === undefined) throw new RangeError('An expectation has a command for each reply.');
    this.commands = commands;
    this.command = first;
    this.phase = first.phase;
    this.sink = sink;
    this.hasContent = hasContent;
  }

  /** The command that a loss of the connection is told for. */
  get decisive(): { readonly command: Command; readonly phase: Phase } {
    const command = this.hasContent ? this.commands.at(-1) : undefined;
    return command === undefined ? this : { command, phase: command.phase };
  }

  /** Content has left, and the server may take it. */
  get mayBeTaken(): boolean {
    if (!this.hasContent) return outcomeOf(this.phase) === 'unknown';
    switch (this.phase) {
      case 'mail': return this.goodbye === undefined;
      case 'rcpt': return this.hasSender;
      case 'end-of-data': return this.#hasRecipient;
      default: return true;
    }
  }

  get isAnswered(): boolean {
    return this.#answered === this.commands.length;
  }

  /** QUIT behind these commands is one, too. */
  get takesQuit(): boolean {
    return !QUIT_IS_NO_COMMAND.has(this.phase) && !this.open.some(({ phase }) => QUIT_IS_NO_COMMAND.has(phase));
  }

  /** The commands without a reply. */
  get open(): readonly Command[] {
    return this.commands.slice(this.#answered);
  }

  /**
   * Content has left behind the commands, and this cannot be the reply to the one whose turn it is: then no reply belongs to its
   * command. Content of a mail before that the server took for commands (RFC 3030 section 2 wants it skipped) is answered so, and
   * one reply too many shifts all that follow. (A 421 may answer anything: nobody asks this of it.)
   */
  isOutOfStep(reply: Reply, wording: Wording, isLast: boolean): boolean {
    // Whatever was sent, this is the reply to QUIT.
    if (reply.code === 221) return !IS_ALONE.has(this.phase);
    // No reply to RSET names a mail in the queue.
    if (this.phase === 'reset' && wording.isOfContent(reply, this.command)) return true;
    // No server says to content what it says to an envelope. That counts behind DATA as well, where others wait behind it.
    const isMisplaced = wording.isMisplaced(this.phase, reply);
    if (!this.hasContent) return isMisplaced && !isLast;
    // Nothing is answered with 3yz, and behind a goodbye or a refused RSET (Exim has a limit for it) nothing comes but the end of the connection.
    if (isMisplaced || reply.severity === 3 || this.refusedReset || this.goodbye !== undefined) return true;
    // A server that took no sender takes no recipient, nor content for nobody.
    return this.phase === 'mail' ? isForeignYes(reply) : isPositive(reply) && !this.mayBeTaken;
  }

  /** One reply came; true if it was the last. */
  answered(reply: Reply): boolean {
    switch (this.phase) {
      case 'reset': this.refusedReset = !isPositive(reply); break;
      case 'mail': this.hasSender = isPositive(reply); break;
      case 'rcpt': this.#hasRecipient ||= isPositive(reply);
    }
    const next = this.commands[++this.#answered];
    if (next === undefined) return true;
    this.command = next;
    this.phase = next.phase;
    return false;
  }
}
