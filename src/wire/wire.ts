import { Observable, Subscription, type SchedulerLike } from 'rxjs';
import { Command, QUIT } from '../protocol/command.js';
import type { Phase } from '../protocol/error.js';
import type { KnownReplies } from '../protocol/known-replies.js';
import type { LogLine } from '../protocol/log-line.js';
import { isFarewell, isPositive, isRefusal, type Reply } from '../protocol/reply.js';
import { MalformedReply, ReplyParser } from '../protocol/reply-parser.js';
import type { Timeouts } from '../protocol/timeouts.js';
import type { ByteStream } from '../transport/byte-stream.js';
import type { Deadline } from '../transport/clock.js';
import { DueReplies } from './due-replies.js';
import { Expectation, type ReplySink } from './expectation.js';
import { Failures, type Failure } from './failures.js';
import { HeldVerdicts } from './held-verdicts.js';
import { toleratesMore, whyMore } from './surplus.js';
import { Transcript, type Answered, type TranscriptContext } from './transcript.js';
import { NO_END, Watch } from './watch.js';
import { Wording } from './wording.js';

/** What a wire shares with the connection that it belongs to. */
interface WireContext extends TranscriptContext {
  /** `host:port`, for errors. */
  readonly peer: string;
  readonly timeouts: Timeouts;
  readonly scheduler: SchedulerLike;
  /** What the server is known to say. */
  readonly replies?: KnownReplies;
}

/**
 * The dialogue's line to one server: commands out, replies in, matched by a FIFO of what is due. Any number of commands
 * may be outstanding, of any number of mails. The first in line is watched by its limit; every anomaly ends the wire.
 */
export class Wire {
  readonly context: WireContext;
  readonly stream: ByteStream;
  readonly #parser: ReplyParser;
  readonly #due = new DueReplies();
  readonly #held = new HeldVerdicts();
  /** Are told of a loss without a reply that is due to them. */
  readonly #watchers = new Set<Expectation>();
  /** Whose reply is being told to the log. */
  #answering: Expectation | undefined;
  readonly #transcript: Transcript;
  readonly #failures: Failures;
  readonly #wording = new Wording();
  readonly #reading = new Subscription();
  readonly #watch: Watch;
  /** When the server said something last, on the scheduler's clock. */
  heardAt: number;
  #failure: Failure | undefined;
  #greeted: boolean;
  #hasReplied = false;
  /** Is told when the wire has ended, or is to be dropped and nobody else was told. */
  onLoss: () => void = () => undefined;
  /** Only dropping the connection is right: inside content, or when the server is out of step. */
  mustDrop = false;

  constructor(stream: ByteStream, context: WireContext, greeted = false) {
    this.stream = stream;
    this.context = context;
    this.heardAt = context.scheduler.now();
    this.#greeted = greeted;
    this.#parser = new ReplyParser(context.redactor, context.replies);
    this.#transcript = new Transcript(context);
    this.#failures = new Failures(context.peer, this.#transcript);
    this.#watch = new Watch(context.scheduler, context.timeouts, this.#due, (end, first) => {
      const failure = this.#failures.expired(context.scheduler, end, first);
      // Silence is no goodbye: behind one, what may still be taken is waited for beyond `quit`, and the server may go on unheard.
      if (end.limit === 'quit') this.fail(failure);
      else this.#distrust(failure);
    });
    this.#reading.add(stream.bytes.subscribe({
      next: (chunk) => { this.#read(chunk); },
      error: (error: unknown) => { this.#lost(error as NodeJS.ErrnoException); },
      complete: () => { this.#lost(); },
    }));
  }

  /** Nothing went wrong: commands may be written. */
  get takesCommands(): boolean {
    return this.#failure === undefined && !this.mustDrop;
  }

  /** The same, and nothing is outstanding. */
  get idle(): boolean {
    return this.takesCommands && this.#due.isEmpty;
  }

  /** The same, but replies may be outstanding that nobody waits for: a pipelining server takes the next command. */
  get free(): boolean {
    return this.takesCommands && this.#due.isUnheard;
  }

  /** Not one byte has come: the server may still be asked with TLS, or refuse the handshake. */
  get silent(): boolean {
    return this.#failure === undefined && !this.#hasReplied && this.#parser.buffered === 0;
  }

  /** The server may be gone: its next reply comes soon, or not at all. */
  hurry(): void {
    this.#watch.isHurried = true;
  }

  /** Replies that are due. */
  get outstanding(): number {
    return this.#due.outstanding;
  }

  /** A reply has begun, and its end has not come. */
  get isBeingAnswered(): boolean {
    return this.#parser.buffered > 0;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The phase of what is first in line. */
  get phase(): Phase {
    return this.#due.first?.phase ?? 'idle';
  }

  /** Puts replies that are due in line. Do so before their commands are written. */
  expect(expectation: Expectation): void {
    if (this.#failure !== undefined) {
      this.#tell(expectation, this.#failure);
      return;
    }
    this.#due.add(expectation);
    if (!this.#due.hasOne) return;
    this.touch();
    // What stayed behind a 354 answers the content that is only now begun.
    if (this.#parser.buffered > 0) this.#deliver(1);
  }

  /** Fails when the wire does, for who is in the midst of something while no reply may be due. */
  loss(during: Command): Observable<never> {
    return new Observable((subscriber) => {
      const watcher = new Expectation([during], subscriber);
      if (this.#failure !== undefined) this.#tell(watcher, this.#failure);
      this.#watchers.add(watcher);
      return () => { this.#watchers.delete(watcher); };
    });
  }

  /** Writes commands in one go. */
  say(commands: readonly Command[]): void {
    let lines = '';
    // Not for...of: here and in what else each mail runs through, its iterator would cost more than the work.
    commands.forEach((command) => { lines += `${command.line}\r\n`; });
    if (this.#failure === undefined) this.stream.write(lines);
  }

  /** Commands, and so much content behind them, were written. Afterwards: whoever reads the log may send, cancel and close at once. */
  note(commands: readonly Command[], content?: number): void {
    this.#transcript.noteGroup(commands, content);
  }

  /** Takes back what was written for these replies, unless some of it has left: then they are not due any more. */
  withdraw(expectation: Expectation): boolean {
    const { commands: [first] } = expectation;
    // A server that waits for a SASL response would take QUIT for one.
    if (first === undefined || expectation.phase === 'auth' || !this.#due.has(expectation) || !this.stream.withdraw(expectation.from, expectation.to)) return false;
    const wasFirst = this.#due.first === expectation;
    this.#due.remove(expectation);
    if (wasFirst) this.touch();
    this.#transcript.note(`${first.toString()} was taken back before it left`);
    return true;
  }

  /** Writes content as it is, all that is left of it. */
  write(bytes: Uint8Array): void {
    if (this.#failure === undefined) this.stream.write(bytes);
  }

  /** The first in line starts anew: its limit counts from now. */
  touch(now = this.context.scheduler.now()): void {
    this.#watch.restart(now);
  }

  #read(chunk: Buffer): void {
    // Only replies to what was written before these bytes came can be in them; the rest was planted or is out of step.
    const asked = this.#due.outstanding;
    this.#parser.push(chunk);
    if (asked === 0) this.fail(this.#surplus());
    else this.#deliver(asked);
  }

  #deliver(asked: number): void {
    let hasHeard = false;
    this.heardAt = this.context.scheduler.now();
    for (let left = asked; left > 0 && this.#failure === undefined; left -= 1) {
      const first = this.#due.first;
      if (first === undefined) {
        // What this might have answered was taken back, so that it is no reply to what comes next.
        if (this.#parser.buffered > 0) this.fail(this.#surplus());
        break;
      }
      const reply = this.#parse(first);
      if (reply === undefined) break;
      const hasMore = left === 1 && this.#parser.buffered > 0;
      if (hasMore && !toleratesMore(first, reply, !hasHeard, this.#parser)) {
        this.#transcript.note(reply);
        this.#distrust(this.#surplus());
        return;
      }
      hasHeard = true;
      this.#answer(first, reply, hasMore && reply.code !== 354);
    }
    this.#held.tell();
    // All that came together came at one time.
    if (hasHeard) this.touch(this.heardAt);
  }

  #answer(first: Expectation, reply: Reply, hasMore: boolean): void {
    this.#greeted = this.#hasReplied = true;
    this.#watch.isHurried = false;
    const isGoodbye = isFarewell(reply);
    if (!isGoodbye && (first.isOutOfStep(reply, this.#wording, this.#due.hasOne) || this.#held.isContradictedBy(reply, first, this.#wording))) {
      this.#outOfStep(first, reply);
      return;
    }
    const isVerdict = first.phase === 'end-of-data' && first.mayBeTaken;
    this.#wording.note(first.phase, reply, this.#due.hasOne && this.#parser.buffered === 0);
    // Some go on answering for a while. Only one that takes something has not closed the channel.
    this.#watch.hasSaidGoodbye = isGoodbye || (this.#watch.hasSaidGoodbye && (!isPositive(reply) || first.phase === 'reset'));
    const isAnswered = this.#due.answered(first, reply);
    // A 421 closes the channel (RFC 5321 section 3.8), whatever it answers: there is nobody left to say anything to. And from a 354 on
    // nothing but content may follow, also where whoever is told of something cancels its mail.
    this.mustDrop ||= isGoodbye || reply.code === 354;
    // Whoever reads the log may end what the reply is for: nobody waits for it then.
    this.#answering = first;
    this.#transcript.note(reply);
    this.#answering = undefined;
    // Whatever follows the last reply that was due ends the wire, but nobody hears of it before that reply has counted.
    const surplus = hasMore ? this.#surplus() : undefined;
    const hasEnded = surplus !== undefined && this.#end(surplus);
    // What is said to one thing only shows that all before it was in its place; and nothing comes behind the last one.
    const isSure = this.#parser.buffered === 0 || this.#due.isEmpty || hasEnded || reply.code === 354 || (isVerdict && this.#wording.isOnlyOfContent(reply, first.command));
    if (!isSure && (isVerdict || !this.#held.isEmpty)) {
      this.#held.hold(first, reply, isAnswered);
      return;
    }
    this.#held.tell();
    const { sink } = first;
    sink?.next(reply);
    if (isAnswered) first.sink?.complete();
    if (hasEnded) this.#tellAll(surplus);
    else if (sink === undefined && this.mustDrop) this.onLoss();
  }

  #outOfStep(first: Expectation, reply: Reply): void {
    this.#transcript.note(reply);
    // A server that ends the connection unasked has not lost count, nor has one that refuses what is left behind its 421.
    if (reply.code !== 221 && !(this.#watch.hasSaidGoodbye && isRefusal(reply) && !this.#held.hasGoodbye)) this.#due.restore(this.#held.doubt());
    // With all mails before it answered, 221 to MAIL, or within content, is no more than the end of the connection, as some end an idle one.
    this.#watch.hasSaidGoodbye = reply.code === 221 && (first.phase === 'mail' || first.phase === 'body') && this.#due.hasOne;
    if (!this.#watch.hasSaidGoodbye) this.fail(this.#failures.outOfStep(first.command, first.goodbye ?? reply));
    else if (first.hasContent) {
      // What has left behind it may be taken all the same: the end of the connection shows that it was not.
      first.goodbye = reply;
      this.mustDrop = true;
    } else this.fail(this.#failures.goodbye(reply));
  }

  #parse({ command, phase }: Expectation): Reply | undefined {
    this.#parser.isInSignIn = phase === 'auth';
    try {
      return this.#parser.read();
    } catch (error) {
      if (!(error instanceof MalformedReply)) throw error;
      this.#distrust(this.#failures.malformed(command, error.message));
      return undefined;
    }
  }

  #surplus(): Failure {
    return whyMore(this.phase, this.#parser, this.#transcript, this.#failures);
  }

  #lost(error?: NodeJS.ErrnoException): void {
    const { first } = this.#due;
    if (first !== undefined) {
      const words = this.#parser.lastWords();
      this.#watch.hasSaidGoodbye ||= first.refusedReset;
      if (words !== undefined) this.#answer(first, words, false);
    }
    this.fail(first?.goodbye === undefined ? this.#failures.lost(error, this.stream.tls !== undefined && this.silent) : this.#failures.goodbye(first.goodbye));
  }

  /** Ends the wire: everything that is due fails, each in its own phase, and nothing is written or read any more. */
  fail(failure: Failure): void {
    if (!this.#end(failure)) return;
    this.#held.tell();
    this.#tellAll(failure);
  }

  /** What the server said before is no longer sure to have been said to what it seemed to be, or to be its last word. */
  #distrust(failure: Failure): void {
    this.#watch.hasSaidGoodbye = false;
    this.#due.restore(this.#held.doubt());
    this.fail(failure);
  }

  /** False where it had ended before. */
  #end(failure: Failure): boolean {
    if (this.#failure !== undefined) return false;
    this.#failure = failure;
    this.#watch.stop();
    this.#reading.unsubscribe();
    this.stream.destroy();
    return true;
  }

  #tellAll(failure: Failure): void {
    for (const expectation of this.#due.end()) this.#tell(expectation, failure);
    this.#watchers.forEach((watcher) => { this.#tell(watcher, failure); });
    this.onLoss();
  }

  #tell(expectation: Expectation, failure: Failure): void {
    // What was written in this very turn leaves no more, and behind a goodbye a server does nothing any more, whatever it has received.
    const isUntold = !this.stream.hasLeft(expectation.from) || (this.#watch.hasSaidGoodbye && !expectation.hasSender);
    const { phase, command } = isUntold ? expectation : expectation.decisive;
    expectation.sink?.error(failure(phase, command));
  }

  /** Ends the wire without touching its stream, for who takes the stream over. */
  release(): ByteStream {
    this.#failure ??= this.#failures.closed('was left');
    this.#watch.stop();
    this.#reading.unsubscribe();
    return this.stream;
  }

  /** One command by itself. Without a sink, the reply to it is read and dropped. */
  ask(command: Command, sink?: ReplySink): void {
    this.expect(new Expectation([command], sink));
    this.say([command]);
    this.note([command]);
  }

  /** QUIT: nothing is said after it. */
  quit(sink: ReplySink): void {
    this.#watch.end = NO_END;
    this.ask(QUIT, sink);
  }

  /** The server takes QUIT for a command, now or behind what is outstanding: it has greeted, and expects no content, SASL response or handshake. */
  get mayQuit(): boolean {
    return this.takesCommands && this.#greeted && this.#answering?.takesQuit !== false && this.#due.takesQuit;
  }

  /** Nobody waits for what is outstanding any more. It gets no more time than until `end`, all of it, and then `afterwards` is told. */
  outlast(end: Deadline, afterwards: ReplySink): void {
    this.#watch.end = end;
    this.#due.outlast(afterwards);
    this.touch();
  }

  /** Ends the wire at once. Whoever is leaving it has left it then. */
  drop(): void {
    this.fail(this.#failures.closed('was left'));
  }

  /** The last lines, as a person may read them. */
  transcript(of?: Answered): readonly LogLine[] {
    return this.#transcript.lines(of);
  }
}
