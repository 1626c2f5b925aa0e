import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isPromise } from 'node:util/types';
import { Observable, of } from 'rxjs';
import { codeOf, reasonOf, sentence, SmtpConnectionError } from '../protocol/error.js';
import { dns } from './builtins.js';
import { within, type DialContext } from './dial-context.js';
import { NOT_PERMITTED, remedyHere, shortage } from './this-machine.js';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

const NO_ADDRESS = 'it gave what is no IP address. Call back with (null, [{ address, family }]), as dns.lookup does';

/**
 * The addresses of a host, in the resolver's order, each once; an address is its own. Nothing is cached here. A question
 * that the system was asked cannot be taken back: after unsubscribing its answer goes nowhere.
 */
export const resolve = (host: string, context: DialContext): Observable<readonly ResolvedAddress[]> => {
  const family = familyOf(host);
  const { lookup } = context.settings;
  return family === undefined
    ? ask(host, lookup ?? dns().lookup).pipe(within(context, 'resolve', `Resolving ${host}`, lookup && OWN_LOOKUP))
    : of([{ address: host, family }]);
};

const familyOf = (address: string): 4 | 6 | undefined => ({ 4: 4, 6: 6 } as const)[isIP(address)];

const OWN_LOOKUP = 'Check the function in the option "lookup", or raise that limit.';

const ask = (host: string, lookup: (...question: Parameters<LookupFunction>) => unknown): Observable<readonly ResolvedAddress[]> =>
  new Observable((subscriber) => {
    const fail = (error: unknown): void => { subscriber.error(resolveError(host, error)); };
    try {
      // A function of the caller's may be an async one, whatever its type says.
      const returned = lookup(host, { all: true }, (error, found) => {
        if (error) { fail(error); return; }
        const answers: readonly unknown[] = Array.isArray(found) ? found : [found];
        const addresses = usable(answers);
        if (addresses.length === 0) { fail(answers.length === 0 ? Object.assign(new Error('no address'), { code: 'ENODATA' }) : new TypeError(NO_ADDRESS)); return; }
        subscriber.next(addresses);
        subscriber.complete();
      });
      if (isPromise(returned)) returned.then((answer) => { if (answer !== undefined) fail(new TypeError('it gave a promise of the address. Call the function that it gets instead, as dns.lookup does')); }, fail);
    } catch (error) {
      fail(error);
    }
  });

/** The addresses in an answer: those of `dns.lookup`, or plain strings, as `dns.resolve4` has them. */
const usable = (answers: readonly unknown[]): readonly ResolvedAddress[] => {
  const addresses: readonly unknown[] = answers.map((answer) => (typeof answer === 'string' ? answer : (answer as Partial<LookupAddress> | null | undefined)?.address));
  return [...new Set(addresses)].flatMap((address) => {
    const family = typeof address === 'string' ? familyOf(address) : undefined;
    return family === undefined ? [] : [{ address: address as string, family }];
  });
};

const resolveError = (host: string, error: unknown): SmtpConnectionError => {
  const told = codeOf(error);
  // Without a file to read its own settings from, glibc finds no name at all.
  const code = (told === 'ENOTFOUND' ? shortage() : undefined) ?? told;
  // The system's own resolver always tells one.
  if (code === undefined) return new SmtpConnectionError('E_DNS', {
    phase: 'resolve', reason: 'UNKNOWN', cause: error,
    message: `The function in the option "lookup" failed for ${host}: ${sentence(reasonOf(error))}`,
  });
  const remedy = remedyHere(code);
  if (remedy !== undefined) return new SmtpConnectionError('E_DNS', { phase: 'resolve', reason: code, retryable: code !== NOT_PERMITTED, cause: error, message: `The host name ${host} was not looked up (${code}). ${remedy}` });
  const final = code === 'ENOTFOUND' || code === 'ENODATA';
  return new SmtpConnectionError('E_DNS', {
    phase: 'resolve', reason: code, retryable: !final, cause: error,
    message: final ? `The host name ${host} has no address (${code}). Check how it is spelt.` : `The host name ${host} could not be resolved (${code}). Check how it is spelt and the resolver of this machine, or try again later.`,
  });
};
