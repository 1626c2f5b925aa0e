import { isUint8Array } from 'node:util/types';
import { count, countOrForever, oneOf } from '../config/checks.js';
import { fields, optional, usage } from '../message/fields.js';
import { LONGEST_TIMER } from '../protocol/timeouts.js';

/**
 * Where a fault strikes: at the server's reply to this command, at the TLS handshake, or within the content (`body`). Such a mail is not
 * accepted; the reply that is due there is 452. With content in chunks there is no `data`, and `bdat` is each chunk but the last.
 */
export type FaultPoint = (typeof POINTS)[number];

const POINTS = [
  'greeting', 'ehlo', 'helo', 'starttls', 'tls', 'auth', 'auth-response', 'mail', 'rcpt', 'data', 'bdat', 'body', 'end-of-data', 'rset', 'noop', 'quit', 'any',
] as const;
const ACTIONS = ['reply', 'delay', 'dribble', 'split', 'glue', 'silence', 'stall', 'garbage', 'flood', 'reset', 'half-close', 'close'] as const satisfies readonly FaultAction['do'][];

/** What happens there. Give replies without their last CRLF; `reply` replaces the one that the server would send. */
export type FaultAction =
  /** Sends another reply. */
  | { readonly do: 'reply'; readonly reply: string }
  | { readonly do: 'delay'; readonly ms: number; readonly reply?: string }
  /** Sends the reply `bytes` at a time (default 1), each piece `ms` after the one before. */
  | { readonly do: 'dribble'; readonly ms: number; readonly bytes?: number; readonly reply?: string }
  /** Sends the reply in pieces, cut at these offsets. */
  | { readonly do: 'split'; readonly cuts: readonly number[]; readonly reply?: string }
  /** Sends more bytes in the same write, as they are. */
  | { readonly do: 'glue'; readonly extra: string; readonly reply?: string }
  /** Sends nothing any more; input is still read. */
  | { readonly do: 'silence' }
  /** Reads nothing for so long, and sends nothing any more. */
  | { readonly do: 'stall'; readonly ms: number }
  /** Sends bytes that are not a reply, and then nothing. */
  | { readonly do: 'garbage'; readonly bytes?: Uint8Array }
  /** Sends a reply that never ends. */
  | { readonly do: 'flood' }
  /** Waits `ms` if given, sends `reply` if given, and ends the connection with RST. */
  | { readonly do: 'reset'; readonly reply?: string; readonly ms?: number }
  /** The same, but ends only the server's side, and goes on reading. */
  | { readonly do: 'half-close'; readonly reply?: string; readonly ms?: number }
  /** The same, but ends the connection in good order. */
  | { readonly do: 'close'; readonly reply?: string; readonly ms?: number };

/** One entry of a script. */
export type Fault = FaultAction & {
  readonly at: FaultPoint;
  /** How often it strikes. Default 1. */
  readonly times?: number;
  /** Only in this session, counted from 1: a door that the client only tries is one too. Default: in any. */
  readonly session?: number;
  /** At `body`: after so many bytes of the content. Default 0. */
  readonly after?: number;
  /** How often it is skipped first; at `body`: in how many mails. Default 0. */
  readonly skip?: number;
};

/** The field that an action requires. */
const NEEDS: Readonly<Partial<Record<FaultAction['do'], string>>> = { reply: 'reply', delay: 'ms', dribble: 'ms', stall: 'ms', split: 'cuts', glue: 'extra' };
/** And those that it may have besides. */
const MAY: Readonly<Partial<Record<FaultAction['do'], readonly string[]>>> = {
  delay: ['reply'], dribble: ['bytes', 'reply'], split: ['reply'], glue: ['reply'], garbage: ['bytes'], reset: ['reply', 'ms'], 'half-close': ['reply', 'ms'], close: ['reply', 'ms'],
};
const OF_ACTIONS = ['reply', 'ms', 'bytes', 'cuts', 'extra'] as const;

const amount = (value: unknown, name: string): void => {
  if (value !== 0) countOrForever(value, name);
};

const delay = (value: unknown, name: string): void => {
  if (typeof value !== 'number' || !(value >= 0 && value <= LONGEST_TIMER)) throw usage(`The option "${name}" must be a number of milliseconds, 0 to ${LONGEST_TIMER}.`);
};

const check = (fault: unknown, path: string): void => {
  const given = fields(fault, { path, noun: 'option', known: ['at', 'do', 'reply', 'extra', 'cuts', 'bytes', 'session', 'times', 'after', 'skip', 'ms'] });
  oneOf(POINTS)(given.at, `${path}.at`);
  const action = oneOf(ACTIONS)(given.do, `${path}.do`);
  const needed = NEEDS[action] as keyof typeof given | undefined;
  if (needed !== undefined && given[needed] === undefined) throw usage(`The option "${path}" needs "${needed}" as well.`);
  const idle = OF_ACTIONS.find((name) => given[name] !== undefined && name !== needed && MAY[action]?.includes(name) !== true);
  if (idle !== undefined) throw usage(`The option "${path}.${idle}" does not go with "do: '${action}'".`);
  if (given.extra !== undefined && typeof given.extra !== 'string') throw usage(`The option "${path}.extra" must be a string.`);
  if (given.reply !== undefined && typeof given.reply !== 'string') throw usage(`The option "${path}.reply" must be a string.`);
  if (given.after !== undefined && given.at !== 'body') throw usage(`The option "${path}.after" goes with "at: 'body'" only: elsewhere nothing would ever happen.`);
  if (given.cuts !== undefined && !(Array.isArray(given.cuts) && given.cuts.every(Number.isSafeInteger))) throw usage(`The option "${path}.cuts" must be a list of whole numbers.`);
  if (action === 'dribble') optional(count)(given.bytes, `${path}.bytes`);
  else if (given.bytes !== undefined && !isUint8Array(given.bytes)) throw usage(`The option "${path}.bytes" must be a Uint8Array.`);
  optional(count)(given.session, `${path}.session`);
  for (const name of ['times', 'after', 'skip'] as const) optional(amount)(given[name], `${path}.${name}`);
  optional(delay)(given.ms, `${path}.ms`);
};

/** A script of faults: each strikes where it is due, as often as it may. */
export class FaultScript {
  readonly #left: { readonly fault: Fault; skip: number; readonly skipped: WeakSet<object>; times: number; hasStruck: boolean }[];

  constructor(faults: readonly Fault[]) {
    // A script with a typing error would test nothing.
    faults.forEach((fault, index) => { check(fault, `faults[${String(index)}]`); });
    this.#left = faults.map((fault) => ({ fault, skip: fault.skip ?? 0, skipped: new WeakSet(), times: fault.times ?? 1, hasStruck: false }));
  }

  get unstruck(): readonly Fault[] {
    return this.#left.flatMap(({ fault, hasStruck }) => (hasStruck ? [] : [fault]));
  }

  /** @param mail is what `bytes` are counted in: however often it is asked about, it is skipped once. */
  take(at: FaultPoint, session: number, bytes = 0, mail: object = {}): Fault | undefined {
    for (const entry of this.#left) {
      if (entry.times === 0 || entry.skipped.has(mail) || !isDue(entry.fault, at, session, bytes)) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        entry.skipped.add(mail);
        continue;
      }
      entry.times -= 1;
      entry.hasStruck = true;
      return entry.fault;
    }
    return undefined;
  }
}

const isDue = (fault: Fault, at: FaultPoint, session: number, bytes: number): boolean =>
  (fault.at === at || (fault.at === 'any' && at !== 'tls' && at !== 'body')) && (fault.session ?? session) === session && (fault.after ?? 0) <= bytes;
