import { isUint8Array } from 'node:util/types';
import { catchError, concatMap, defer, from, map, of, throwError, timeout, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { auth, AUTH_CANCEL, authResponse, Command } from '../protocol/command.js';
import { SmtpConnectionError, SmtpError, SmtpProtocolError, SmtpReplyError, SmtpTimeoutError } from '../protocol/error.js';
import { printable } from '../protocol/printable.js';
import type { Reply } from '../protocol/reply.js';
import { commandTimeout } from '../protocol/timeouts.js';
import { SaslError, decodeChallenge, startOf, type SaslMechanism } from '../sasl/mechanism.js';
import { before, deadline } from '../transport/clock.js';
import { mapError } from '../transport/map-error.js';
import { exchange } from '../wire/exchange.js';
import type { Wire } from '../wire/wire.js';
import { concealResponse } from './conceal-response.js';
import type { SignIn } from './sign-in.js';
import type { State } from './state.js';

// RFC 4954 section 4: an initial response must not make the line longer than a command may be.
const COMMAND_LIMIT = 512 - 2;
const MOST_ROUNDS = 10;

const AUTH = Command.of('idle', 'AUTH');

/** Fails when the connection does, before AUTH is sent. */
export const lostBefore = (wire: Wire): Observable<never> => wire.loss(AUTH);

/** How the server ended an exchange. */
export interface SaslOutcome {
  readonly reply: Reply;
  /** Nothing that could be a password was said before it. */
  readonly nothingTold: boolean;
  /** What the mechanism begins with was said. */
  readonly hasBegun: boolean;
}

/**
 * The exchange of one mechanism (RFC 4954 section 4), to the reply that is no challenge. What the server breaks is
 * `E_PROTOCOL`; whatever else a mechanism throws comes out as it is, and the exchange is given up either way.
 * @param refusal what is told where the server hangs up in the place of its first answer: it had refused something before.
 */
export const saslExchange = (signIn: SignIn, mechanism: SaslMechanism, refusal?: SmtpError): Observable<SaslOutcome> =>
  defer(() => {
    const { state, state: { wire, operation } } = signIn;
    const ask = (command: Command): Observable<Reply> => exchange(wire, [command], operation);
    wire.context.redactor.mayMeetEchoes = true;
    const initial = startOf(mechanism);
    if (initial !== undefined) concealResponse(signIn, initial);
    const opening = auth(mechanism.name, initial);
    const fits = opening.line.length <= COMMAND_LIMIT;
    // What does not fit into the command answers the server's first challenge, which is empty, and costs a round more.
    const postponed = fits ? [] : [initial];
    const rounds = (mechanism.maxRounds ?? MOST_ROUNDS) + postponed.length;
    const answer = (reply: Reply, round: number, nothingTold: boolean): Observable<SaslOutcome> => {
      if (reply.code !== 334) return of({ reply, nothingTold, hasBegun: round >= postponed.length });
      if (round >= rounds) return abort(state, mechanism, new SaslError('it asked for more rounds than the mechanism has'));
      return respond(signIn, mechanism, reply, postponed[round]).pipe(
        catchError((error: unknown) => abort(state, mechanism, error)),
        concatMap((response) => ask(authResponse(response))),
        concatMap((next) => answer(next, round + 1, false)),
      );
    };
    // The connection may have ended while others had their turn, or the token took its time.
    const answered: Observable<Reply> = wire.failed ? lostBefore(wire) : ask(fits ? opening : auth(mechanism.name));
    return answered.pipe(
      mapError((error) => (refusal !== undefined && hasHungUp(error) ? refusal : error)),
      concatMap((reply) => answer(reply, 0, initial === undefined || !fits || mechanism.clearTextSafe === true)),
    );
  });

/** Also with a last 421, to which nothing was asked. */
const hasHungUp = (error: unknown): boolean => error instanceof SmtpConnectionError || error instanceof SmtpReplyError;

/** The caller's own code has as long for its part of a sign-in as the server for a reply. */
export const inTime = <T>({ context: { scheduler, timeouts } }: Wire, what: string): MonoTypeOperatorFunction<T> =>
  before(scheduler, deadline(scheduler, 'command', commandTimeout(timeouts, 'auth')), 'auth', what);

/** The response to a challenge. Until it is there, the server waits for it and for nothing else: not even QUIT. */
const respond = (signIn: SignIn, mechanism: SaslMechanism, challenge: Reply, postponed: Uint8Array | undefined): Observable<Uint8Array> =>
  defer(() => {
    const { wire } = signIn.state;
    const asked = challenge.lines.join(' ');
    wire.mustDrop = true;
    const response = postponed ?? mechanism.next(decodeChallenge(asked, mechanism));
    return (isUint8Array(response) ? of(response) : from(response).pipe(inTime(wire, `The answer of ${mechanism.name} to ${wire.context.peer}`))).pipe(
      map((bytes: unknown) => {
        if (!isUint8Array(bytes)) throw new TypeError('next() must give a Uint8Array, or a Promise of one');
        concealResponse(signIn, bytes, asked);
        wire.mustDrop = false;
        return bytes;
      }),
    );
  });

// RFC 4954 section 4: a challenge that cannot be answered is answered with "*", and the server's 501 ends the exchange.
const abort = ({ wire, operation }: State, mechanism: SaslMechanism, error: unknown): Observable<never> => {
  if (error instanceof SmtpError) return throwError(() => error);
  const { scheduler, timeouts } = wire.context;
  wire.mustDrop = false;
  return exchange(wire, [AUTH_CANCEL], operation).pipe(
    // Whatever becomes of that, the error is why it was said; only the deadline of the whole is another.
    timeout({ first: timeouts.quit, scheduler }),
    catchError((failure: unknown) => (failure instanceof SmtpTimeoutError && failure.limit === 'operation' ? throwError(() => failure) : of(undefined))),
    map((reply) => {
      // It took "*" for a response and goes on, so it would take QUIT for one, too.
      if (reply?.code === 334) wire.mustDrop = true;
      if (!(error instanceof SaslError)) throw error;
      throw new SmtpProtocolError('E_PROTOCOL', {
        phase: 'auth', transcript: wire.transcript(),
        message: `The ${mechanism.name} exchange with ${wire.context.peer} was given up: ${printable(wire.context.redactor.clean(error.message))}. Check that it is the right server, or allow another mechanism with "allowedAuthentication".`,
      });
    }),
  );
};
