import { concatMap, defer, from, map, of, share, take, tap, throwIfEmpty, type Observable, type ObservableInput, type SchedulerLike } from 'rxjs';
import { SmtpUsageError, type Phase } from '../protocol/error.js';
import type { Reply } from '../protocol/reply.js';
import { Secret } from '../protocol/secret.js';
import { fromOutside } from '../transport/outside.js';

/** Gets a token; `rejected` is the server's reply to the last one, which must not be returned again. */
export type TokenFunction = (context: { readonly rejected?: Reply }) => ObservableInput<string>;

/** A token, and the server's no to it. */
export interface RejectedToken {
  readonly token: Secret;
  readonly reply: Reply;
}

/** Where a client's tokens come from. One call is in flight, however many connections ask. */
export interface TokenSource {
  /** One that was asked for after `since`, on the scheduler's clock: a connection needs none that is newer than itself. */
  readonly token: (since: number, scheduler: SchedulerLike) => Observable<Secret>;
  /** The last few: a server may repeat on one connection what it was told on another. */
  readonly known: readonly Secret[];
  /** Another token than `refused`; undefined where there is no other. */
  readonly renew: ((refused: Secret, rejected: Reply) => Observable<Secret>) | undefined;
  /** One whose successor was not heard, because the server hung up before: for the next connection, and no later one. */
  unheard: RejectedToken | undefined;
}

export const tokenSource = (given: string | TokenFunction): TokenSource => {
  if (typeof given === 'string') {
    const secret = checkToken(given, 'options');
    return { token: () => of(secret), known: [secret], renew: undefined, unheard: undefined };
  }
  let flight: { readonly isForced: boolean; readonly token: Observable<Secret> } | undefined;
  let latest: Secret | undefined;
  /** When it was asked for. One that was renewed counts from when the refused one was. */
  let askedAt = -Infinity;
  const known: Secret[] = [];
  const landed = (): void => { flight = undefined; };

  const call = (context: { readonly rejected?: Reply }, at = askedAt): Observable<Secret> => {
    flight ??= {
      isForced: context.rejected !== undefined,
      token: defer(() => fromOutside(whole(given(context)))).pipe(
        take(1),
        throwIfEmpty(() => new Error('the function ended without a token')),
        map((token) => checkToken(token, 'auth')),
        tap({
          next: (secret) => {
            latest = secret;
            askedAt = at;
            known.push(secret);
            if (known.length > MOST_KNOWN) known.shift();
            landed();
          },
          error: landed, unsubscribe: landed,
        }),
        share(),
      ),
    };
    return flight.token;
  };

  const renew = (refused: Secret, rejected: Reply): Observable<Secret> => defer(() => {
    // Another connection was refused before this one, and has renewed it since.
    if (latest !== undefined && latest.reveal() !== refused.reveal()) return of(latest);
    // What is under way was asked for before anybody knew of the refusal, and may be the refused token once more.
    return flight?.isForced === false ? flight.token.pipe(concatMap(() => renew(refused, rejected))) : call({ rejected });
  });

  const token = (since: number, scheduler: SchedulerLike): Observable<Secret> =>
    defer(() => (latest !== undefined && flight === undefined && askedAt > since ? of(latest) : call({}, scheduler.now())));

  return { token, known, renew, unheard: undefined };
};

const MOST_KNOWN = 4;

/** A string is the token, and no sequence of characters. What can give none is refused as one. */
const whole = (given: unknown): Observable<unknown> => {
  try {
    return typeof given === 'string' ? of(given) : from(given as ObservableInput<unknown>);
  } catch {
    return of(given);
  }
};

// RFC 6750 section 2.1 and RFC 7628 section 3.1: visible ASCII, so that it cannot end its field.
const checkToken = (token: unknown, phase: Phase): Secret => {
  if (typeof token !== 'string') throw new SmtpUsageError({ phase, message: 'The function in the option "auth.token" must give a string, or a promise or an Observable of one.' });
  if (/^[\x21-\x7e]+$/.test(token)) return new Secret(token);
  throw new SmtpUsageError({ phase, message: 'The token of the option "auth.token" must be visible ASCII that is not empty, without blanks and without "Bearer" in front.' });
};
