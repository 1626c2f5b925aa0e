import type { Socket } from 'node:net';
import { listen, type Listener } from './listen.js';

/** What came: a command, or content by the name `content`. */
export interface Input {
  readonly verb: string;
  readonly text: string;
  /** Its place in what was read at a time. */
  readonly place: number;
  /** The sender of the transaction that it belongs to. */
  readonly from: string;
}

/** The reply; undefined leaves it out. */
export type Answer = (input: Input, socket: Socket) => string | undefined;

const USUAL: Readonly<Record<string, string>> = { MAIL: '250 2.1.0 Ok', RCPT: '250 2.1.5 Ok', RSET: '250 2.0.0 Reset', DATA: '354 go', QUIT: '221 2.0.0 Bye' };

/** What a server that keeps to the rules would say. */
export const usual = ({ verb, from }: Input): string => USUAL[verb] ?? `250 2.0.0 Ok: queued as ${/ann\d+/.exec(from)?.[0] ?? 'Q'}00`;

/** A server that has its own way of answering: one connection after the other, `answer` has the word on all but EHLO. */
export const ownWays = (offers: readonly string[], begin: () => Answer): Promise<Listener> =>
  listen((socket) => {
    const answer = begin();
    let text = '';
    let from = '';
    /** Octets of a chunk, or up to a dot. */
    let content: number | 'dot' = 0;
    const say = (reply: string | undefined): void => { if (reply !== undefined && socket.writable) socket.write(`${reply}\r\n`); };
    /** Behind the next input, and its terminator. */
    const end = (): number => (content === 0 ? text.indexOf('\r\n') + 2 : content === 'dot' ? /^(?:[^]*?\r\n)?\.\r\n/.exec(text)?.[0].length ?? 1 : content);
    socket.setNoDelay().write('220 ways.example\r\n');
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      let place = 0;
      for (let at = end(); at > 1 && at <= text.length; at = end()) {
        const verb = content === 0 ? text.slice(0, 4) : 'content';
        const input = text.slice(0, at).trimEnd();
        text = text.slice(at);
        content = 0;
        if (verb === 'EHLO') { say(['250-ways.example', ...offers.map((offer) => `250-${offer}`), '250 ENHANCEDSTATUSCODES'].join('\r\n')); continue; }
        if (verb === 'MAIL') from = input;
        if (verb === 'BDAT') { content = Number(input.split(' ')[1]); place += 1; continue; }
        const reply = answer({ verb, text: input, place, from }, socket);
        if (reply?.startsWith('354') === true) content = 'dot';
        place += 1;
        say(reply);
        if (verb === 'QUIT') socket.end();
      }
    });
  });
