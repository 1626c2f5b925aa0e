import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Certificate } from './certificates.js';
import { replyOf } from './check-options.js';
import type { Fault, FaultPoint, FaultScript } from './fault.js';
import { Input } from './input.js';
import { DEFAULT_SIZE, Offers } from './offers.js';
import type { ReceivedMessage, ServerOptions } from './options.js';
import { Output } from './output.js';
import { pathOf } from './path.js';
import { MECHANISMS, type Ask } from './sign-in.js';

/** What a server's sessions share. */
interface SessionContext {
  readonly options: ServerOptions;
  readonly certificate: Certificate;
  readonly faults: FaultScript;
  /** Counts the sessions from 1. */
  readonly number: number;
  readonly nextQueueId: () => string;
  readonly accept: (message: ReceivedMessage) => void;
}

interface Transaction {
  /** RCPT was said so often. */
  asked: number;
  readonly from: string;
  readonly to: string[];
  readonly mail: readonly string[];
  readonly rcpt: (readonly string[])[];
  /** What BDAT brought so far. */
  readonly chunks: Buffer[];
  /** A fault struck inside its content. */
  isCut: boolean;
}

/** One connection's dialogue, from the server's side (RFC 5321), with its faults. */
export class ServerSession {
  readonly lines: string[] = [];
  readonly #received: Buffer[] = [];
  readonly #context: SessionContext;
  readonly #offers: Offers;
  #socket: Socket;
  #input: Input;
  #output: Output;
  #transaction: Transaction | undefined;
  #hasGreeted = false;
  #mails = 0;
  readonly #domains = new Set<string>();
  #user: string | undefined;

  constructor(socket: Socket, context: SessionContext) {
    this.#context = context;
    this.#offers = new Offers(context.options);
    [this.#socket, this.#input, this.#output] = this.#listen(socket);
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  disconnect(farewell?: string): void {
    if (this.#socket.writable) this.#output.end(farewell);
  }

  /** Resolves when the connection has ended, whatever the client does. Rejects with what a function in the options has thrown. */
  async run(): Promise<void> {
    const { options } = this.#context;
    if (options.tls !== 'implicit' || await this.#startTls()) {
      await this.#reply('greeting', '220 test.example ESMTP ready');
      for (;;) {
        const line = await this.#input.line();
        if (line === undefined) break;
        this.lines.push(`C: ${line}`);
        // A chunk goes right behind its command (RFC 3030 section 2).
        if (this.#input.isAhead && !this.#offers.has('PIPELINING') && !/^BDAT /i.test(line)) { await this.#output.say('503 5.5.1 Commands may not be pipelined here'); this.#output.end(); }
        await this.#obey(line);
      }
    }
    this.#output.end();
    await this.#input.drain();
    this.#socket.destroy();
  }

  /** @param carrier is the TCP socket below TLS. */
  #listen<S extends Socket>(socket: S, carrier: Socket = socket): [S, Input, Output] {
    socket.on('error', () => { /* A client may break off; that ends the session like any other end. */ });
    return [socket, new Input(socket, (chunk) => { this.#received.push(chunk); }), new Output(socket, (line) => { this.lines.push(`S: ${line}`); }, carrier)];
  }

  /** Says the reply that is due, or what the script wants instead; true if what left lets the client go on. */
  async #reply(at: FaultPoint, reply: string): Promise<boolean> {
    const said = await this.#output.say(reply, this.#due(at));
    return said !== undefined && /^[23]/.test(said);
  }

  /** Says the last reply, and ends behind it. A server that has fallen silent does not hang up. */
  async #leave(at: FaultPoint, reply: string): Promise<void> {
    await this.#reply(at, reply);
    if (!this.#output.isMute) this.#output.end();
  }

  /** Takes the fault that strikes here: none where nothing can be said. */
  #due(at: FaultPoint, bytes?: number, mail?: Transaction): Fault | undefined {
    return this.#output.isMute ? undefined : this.#context.faults.take(at, this.#context.number, bytes, mail);
  }

  get #isSecure(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  async #obey(line: string): Promise<void> {
    const [, verb = '', argument = ''] = /^([A-Za-z]+) ?(.*)$/s.exec(line) ?? [];
    // What nobody can be told is not done. A chunk is read all the same: it is no dialogue.
    if (this.#output.isMute && verb.toUpperCase() !== 'BDAT') return;
    // STARTTLS and AUTH are keywords and commands at once.
    switch (this.#offers.lacks(verb.toUpperCase()) ? undefined : verb.toUpperCase()) {
      case 'EHLO': case 'HELO': return this.#hello(verb.toUpperCase());
      case 'STARTTLS': return this.#upgrade();
      case 'AUTH': return this.#authenticate(argument);
      case 'MAIL': return this.#mail(argument);
      case 'RCPT': return this.#rcpt(argument);
      case 'DATA': return this.#data();
      case 'BDAT': return this.#bdat(argument);
      case 'RSET':
        this.#transaction = undefined;
        await this.#reply('rset', '250 2.0.0 Ok');
        return;
      case 'NOOP':
        await this.#reply('noop', '250 2.0.0 Ok');
        return;
      case 'QUIT': return this.#leave('quit', '221 2.0.0 Bye');
      default:
        await this.#reply('any', '500 5.5.2 Unknown command');
    }
  }

  async #hello(verb: string): Promise<void> {
    this.#transaction = undefined;
    this.#hasGreeted = true;
    if (verb === 'EHLO') await this.#reply('ehlo', this.#offers.told(this.#isSecure));
    else await this.#reply('helo', '250 test.example');
  }

  async #upgrade(): Promise<void> {
    const { tls = 'starttls' } = this.#context.options;
    if (tls !== 'starttls' || this.#isSecure) { await this.#reply('starttls', '503 5.5.1 No TLS to be had here'); return; }
    if (await this.#reply('starttls', '220 2.0.0 Go ahead') && !await this.#startTls()) this.#socket.destroy();
  }

  async #startTls(): Promise<boolean> {
    const fault = this.#due('tls');
    // Not before the client has begun: what is said earlier is no part of the handshake.
    if (fault !== undefined) {
      await this.#input.bytes(1);
      await this.#output.say('220 clear text', fault);
      await this.#input.drain();
      return false;
    }
    // The client may have left meanwhile, and a socket that is gone tells a handshake nothing, its end neither.
    if (!this.#socket.readable) return false;
    // RFC 3207 section 4.2: nothing that was said in clear text counts.
    [this.#hasGreeted, this.#user, this.#transaction, this.#mails] = [false, undefined, undefined, 0];
    this.#domains.clear();
    const secured = new TLSSocket(this.#socket, { isServer: true, secureContext: createSecureContext({ ...this.#context.certificate, minVersion: 'TLSv1.2' }) });
    [this.#socket, this.#input, this.#output] = this.#listen(secured, this.#socket);
    return new Promise((resolve) => {
      secured.once('secure', () => { resolve(true); }).once('close', () => { resolve(false); });
    });
  }

  async #authenticate(argument: string): Promise<void> {
    const [name = '', initial] = argument.split(' ');
    const { users = {}, signIn } = this.#context.options;
    const mechanism = name.toUpperCase();
    const verify = signIn?.[mechanism] ?? (this.#offers.mechanisms.includes(mechanism) ? MECHANISMS.get(mechanism) : undefined);
    if (this.#user !== undefined || this.#transaction !== undefined) { await this.#reply('auth', '503 5.5.1 Not now'); return; }
    if (verify === undefined) { await this.#reply('auth', '504 5.5.4 Unknown mechanism'); return; }
    const exchange: { at: FaultPoint; goesOn: boolean } = { at: 'auth', goesOn: true };
    const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
    const ask: Ask = async (challenge) => {
      exchange.goesOn &&= await this.#reply(exchange.at, `334 ${Buffer.from(challenge).toString('base64')}`);
      exchange.at = 'auth-response';
      const line = exchange.goesOn ? await this.#input.line() : undefined;
      if (line !== undefined) this.lines.push(`C: ${line}`);
      return line === undefined || line === '*' ? undefined : decode(line);
    };
    const user = await Promise.race([verify(ask, initial === undefined ? undefined : decode(initial === '=' ? '' : initial), users), this.#output.closed]);
    if (exchange.goesOn && await this.#reply(exchange.at, user === undefined ? '535 5.7.8 Wrong user or password' : '235 2.7.0 Welcome')) this.#user = user;
  }

  async #mail(argument: string): Promise<void> {
    const { limits, onSender } = this.#context.options;
    const [from, parameters] = pathOf(argument.replace(/^FROM: ?/i, ''));
    const size = Number(parameters.map((word) => /^SIZE=(\d+)$/i.exec(word)?.[1]).find((digits) => digits !== undefined) ?? 0);
    this.#mails += 1;
    if (this.#mails > (limits?.mails ?? Infinity)) { await this.#leave('mail', '421 4.7.0 Too many mails in this session'); return; }
    const refusal = !this.#hasGreeted || this.#transaction !== undefined ? '503 5.5.1 Not now'
      : from === undefined ? '501 5.1.7 No such path'
        : this.#unknown(parameters) ?? this.#tooLarge(size) ?? replyOf('onSender', onSender?.(from));
    if (await this.#reply('mail', refusal ?? '250 2.1.0 Ok')) this.#transaction = { from: from ?? '', to: [], mail: parameters, rcpt: [], chunks: [], asked: 0, isCut: false };
  }

  async #rcpt(argument: string): Promise<void> {
    const [to, parameters] = pathOf(argument.replace(/^TO: ?/i, ''));
    const refusal = this.#transaction === undefined ? '503 5.5.1 MAIL first'
      : to === undefined ? '501 5.1.3 No such path'
        : this.#unknown(parameters) ?? this.#tooMany(to) ?? replyOf('onRecipient', this.#context.options.onRecipient?.(to));
    if (!await this.#reply('rcpt', refusal ?? '250 2.1.5 Ok')) return;
    this.#transaction?.to.push(to ?? '');
    this.#transaction?.rcpt.push(parameters);
  }

  #tooLarge(bytes: number): string | undefined {
    const { size: limit = DEFAULT_SIZE } = this.#context.options;
    return limit > 0 && bytes > limit ? '552 5.3.4 Too large' : undefined;
  }

  #tooMany(to: string): string | undefined {
    const { recipients = Infinity, domains = Infinity } = this.#context.options.limits ?? {};
    if (this.#transaction !== undefined && (this.#transaction.asked += 1) > recipients) return '452 4.5.3 Too many recipients';
    const domain = to.slice(to.lastIndexOf('@') + 1).toLowerCase();
    if (!this.#domains.has(domain) && this.#domains.size >= domains) return '452 4.5.3 Too many domains';
    this.#domains.add(domain);
    return undefined;
  }

  #unknown(parameters: readonly string[]): string | undefined {
    return parameters.every((word) => this.#offers.knows(word)) ? undefined : '555 5.5.4 Unknown parameter';
  }

  async #data(): Promise<void> {
    const transaction = this.#transaction;
    if (transaction === undefined || transaction.to.length === 0 || transaction.chunks.length > 0) { await this.#reply('data', '503 5.5.1 RCPT first'); return; }
    // RFC 3030 section 3: such content has no end that DATA could find.
    if (transaction.mail.some((parameter) => parameter.toUpperCase() === 'BODY=BINARYMIME')) { await this.#reply('data', '503 5.5.1 BINARYMIME needs BDAT'); return; }
    const said = await this.#output.say('354 End data with <CR><LF>.<CR><LF>', this.#due('data'));
    if (said?.startsWith('354') !== true) return;
    const content = await this.#input.content((bytes) => this.#arrived(transaction, bytes));
    if (content !== undefined) await this.#take(transaction, content);
  }

  async #bdat(argument: string): Promise<void> {
    const [, digits, last] = /^(\d{1,15})( LAST)?$/i.exec(argument) ?? [];
    if (!this.#offers.has('CHUNKING') || digits === undefined) { await this.#reply('bdat', '501 5.5.4 BDAT size [LAST]'); return; }
    const transaction = this.#transaction?.to.length === 0 ? undefined : this.#transaction;
    const before = transaction?.chunks.reduce((sum, { length }) => sum + length, 0) ?? 0;
    const chunk = await this.#input.bytes(Number(digits), (bytes) => this.#arrived(transaction, before + bytes));
    if (chunk === undefined) return;
    if (transaction === undefined) { await this.#reply('bdat', '503 5.5.1 RCPT first'); return; }
    transaction.chunks.push(chunk);
    if (last !== undefined || transaction.isCut) await this.#take(transaction, Buffer.concat(transaction.chunks));
    else if (!await this.#reply('bdat', `250 2.0.0 ${digits} bytes`)) this.#transaction = undefined;
  }

  /** So many bytes of content have come: a fault may strike here, once in a mail. */
  async #arrived(transaction: Transaction | undefined, bytes: number): Promise<void> {
    if (transaction?.isCut !== false) return;
    const fault = this.#due('body', bytes, transaction);
    if (fault === undefined) return;
    transaction.isCut = true;
    await this.#output.say('452 4.3.1 Enough', fault);
  }

  async #take({ from, to, mail, rcpt, isCut }: Transaction, content: Buffer): Promise<void> {
    const { options: { onMessage }, nextQueueId, accept, number } = this.#context;
    this.#transaction = undefined;
    // What there was to say of it was said inside it.
    if (isCut) return;
    const message: ReceivedMessage = {
      from, to, content, parameters: { mail, rcpt }, queueId: nextQueueId(), secure: this.#isSecure, session: number, ...(this.#user === undefined ? {} : { user: this.#user }),
    };
    const fault = this.#due('end-of-data');
    const reply = this.#tooLarge(content.length) ?? replyOf('onMessage', onMessage?.(message)) ?? `250 2.0.0 Ok: queued as ${message.queueId}`;
    const due = (fault !== undefined && 'reply' in fault ? fault.reply : undefined) ?? reply;
    // Taken before it is said: an answer that gets lost leaves a mail behind.
    if (due.startsWith('2')) accept(message);
    await this.#output.say(reply, fault);
  }
}
