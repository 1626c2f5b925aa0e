import { Command } from '../protocol/command.js';
import type { LogLine } from '../protocol/log-line.js';
import type { Redactor } from '../protocol/redactor.js';
import { formatReply, type Reply } from '../protocol/reply.js';

/** Where log lines go; nothing is made for it while nobody looks. */
export interface LogSink {
  readonly observed: boolean;
  next(line: LogLine): void;
}

export interface TranscriptContext {
  /** Counts the client's connections. */
  readonly connection: number;
  readonly redactor: Redactor;
  readonly log: LogSink;
}

/** What was said: commands, replies, so many bytes of content, and words of our own about it. */
type Said = Command | Reply | number | string;

/** A command, and what was answered to it. */
export interface Answered {
  readonly command: string;
  readonly reply: Reply;
}

const LINES = 12;

/** What was said last on a connection, for errors and the log. Made into text only when somebody reads it. */
export class Transcript {
  readonly #context: TranscriptContext;
  /** A ring: the next to overwrite is the oldest. */
  readonly #said: Said[] = [];
  #oldest = 0;

  constructor(context: TranscriptContext) {
    this.#context = context;
  }

  note(said: Said): void {
    this.#keep(said);
    const { log } = this.#context;
    if (log.observed) log.next(this.#line(said));
  }

  /** Commands that left together, of which only the last will ever be read again, and so much content behind them. */
  noteGroup(commands: readonly Command[], content?: number): void {
    const last = commands.length > LINES ? commands.slice(-LINES) : commands;
    last.forEach((command) => { this.#keep(command); });
    const { log } = this.#context;
    if (log.observed) commands.forEach((command) => { log.next(this.#line(command)); });
    if (content !== undefined) this.note(content);
  }

  #keep(said: Said): void {
    this.#said[this.#oldest] = said;
    this.#oldest = this.#oldest === LINES - 1 ? 0 : this.#oldest + 1;
  }

  /** As a person may read them, secrets gone. What they are read for stands in front, where a long group of commands has pushed it out. */
  lines(of?: Answered): readonly LogLine[] {
    const lines = [...this.#said.slice(this.#oldest), ...this.#said.slice(0, this.#oldest)].map((said) => this.#line(said));
    // Words of ours in the place of a command were answered just now. And the same answer may have come to many commands.
    if (of === undefined || !/^[A-Z]/.test(of.command) || lines.some(({ from, text }) => from === 'client' && text === of.command)) return lines;
    return [{ connection: this.#context.connection, from: 'client', text: of.command }, this.#line(of.reply), ...lines];
  }

  #line(said: Said): LogLine {
    const { connection, redactor } = this.#context;
    if (typeof said === 'string') return { connection, from: 'note', text: said };
    if (typeof said === 'number') return { connection, from: 'client', text: `${String(said)} bytes of content` };
    if (said instanceof Command) return { connection, from: 'client', text: said.toString() };
    return { connection, from: 'server', text: formatReply({ ...said, lines: redactor.cleanLines(said.lines) }) };
  }
}
