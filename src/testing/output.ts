import type { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './fault.js';

const CRLF = '\r\n';
const RESET_AFTER_MS = 20;
const GARBAGE = Buffer.from('\0\u0001 this is no reply\r\n');

/** What a session says, and how it goes wrong. */
export class Output {
  readonly #socket: Socket;
  readonly #carrier: Socket;
  readonly #said: (line: string) => void;
  readonly #gone = new AbortController();
  /** Resolves when the connection has closed. */
  readonly closed: Promise<undefined>;
  #hasEnded = false;

  /**
   * @param said is told of every line.
   * @param carrier is the TCP socket below TLS: only that can be reset.
   */
  constructor(socket: Socket, said: (line: string) => void, carrier: Socket) {
    this.#socket = socket;
    this.#carrier = carrier;
    this.#said = said;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => { this.#gone.abort(); resolve(undefined); });
    });
  }

  /** Nothing can be said any more. */
  get isMute(): boolean {
    return this.#hasEnded || this.#gone.signal.aborted;
  }

  /** Says a reply, or does what the fault wants instead. Resolves with the reply that left; undefined where none did. */
  async say(reply: string, fault?: Fault): Promise<string | undefined> {
    if (this.isMute) return undefined;
    if (fault === undefined) return this.#write(reply);
    switch (fault.do) {
      case 'reply': return this.#write(fault.reply);
      case 'glue': return this.#write(fault.reply ?? reply, fault.extra);
      case 'delay':
        await this.#wait(fault.ms);
        return this.#write(fault.reply ?? reply);
      case 'split': return this.#writePieces(fault.reply ?? reply, (length) => [...fault.cuts].sort((a, b) => a - b).filter((cut) => cut > 0 && cut < length), turn);
      case 'dribble': return this.#writePieces(fault.reply ?? reply, (length) => steps(length, fault.bytes ?? 1), () => this.#wait(fault.ms));
      case 'garbage':
        this.#socket.write(fault.bytes ?? GARBAGE);
        this.#hasEnded = true;
        return undefined;
      case 'silence':
        this.#hasEnded = true;
        return undefined;
      case 'stall':
        this.#hasEnded = true;
        await this.#wait(fault.ms);
        return undefined;
      case 'flood':
        this.#hasEnded = true;
        return this.#flood(`${reply.slice(0, 3)}-and more${CRLF}`);
      case 'reset':
      case 'half-close':
      case 'close':
        return this.#break(fault);
    }
  }

  /** Ends this side, behind a reply if one is given: nothing is said any more. */
  end(reply?: string): string | undefined {
    const said = this.#last(reply);
    this.#socket.end();
    return said;
  }

  #write(reply: string, extra = ''): string | undefined {
    // It may have ended within a delay.
    if (this.isMute) return undefined;
    const text = `${reply}${CRLF}${extra}`;
    this.#socket.write(text);
    for (const line of text.replace(/\r\n$/, '').split(CRLF)) this.#said(line);
    return reply;
  }

  async #writePieces(reply: string, cutsOf: (length: number) => readonly number[], pause: () => Promise<unknown>): Promise<string | undefined> {
    const bytes = Buffer.from(`${reply}${CRLF}`);
    const edges = [0, ...cutsOf(bytes.length), bytes.length];
    for (const [index, edge] of edges.slice(1).entries()) {
      if (this.isMute) return undefined;
      this.#socket.write(bytes.subarray(edges[index], edge));
      await pause();
    }
    for (const line of reply.split(CRLF)) this.#said(line);
    return reply;
  }

  async #flood(line: string): Promise<undefined> {
    const block = line.repeat(1_000);
    while (!this.#gone.signal.aborted) {
      if (this.#socket.write(block)) await turn();
      else await this.#wait(1);
    }
  }

  async #break(fault: Extract<Fault, { do: 'reset' | 'half-close' | 'close' }>): Promise<string | undefined> {
    if (fault.ms !== undefined) await this.#wait(fault.ms);
    if (fault.do !== 'reset') return this.end(fault.reply);
    const said = this.#last(fault.reply);
    // A reset overtakes what has not been sent and read before it.
    if (said !== undefined) await this.#wait(RESET_AFTER_MS);
    this.#carrier.resetAndDestroy();
    return said;
  }

  #last(reply: string | undefined): string | undefined {
    const said = reply === undefined ? undefined : this.#write(reply);
    this.#hasEnded = true;
    return said;
  }

  // Ends early when the client has gone, and never keeps the process alive.
  async #wait(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#gone.signal, ref: false }).catch(() => undefined);
  }
}

const steps = (length: number, bytes: number): readonly number[] => Array.from({ length: Math.ceil(length / bytes) - 1 }, (_, index) => (index + 1) * bytes);
