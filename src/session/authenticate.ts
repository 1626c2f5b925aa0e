import { catchError, concatMap, defer, EMPTY, expand, filter, from, map, of, throwError, type Observable } from 'rxjs';
import { auth, AUTH_CANCEL, authResponse, type Command } from '../protocol/command.js';
import { SmtpAuthenticationError, SmtpProtocolError, type SmtpError } from '../protocol/error.js';
import { formatReply, isRefusal, type Reply } from '../protocol/reply.js';
import { candidates, type Credentials } from '../sasl/choose.js';
import { decodeBase64, SaslError, type SaslMechanism } from '../sasl/mechanism.js';
import { exchange } from '../wire/exchange.js';
import { unexpected } from './expect-reply.js';
import { isConfidential } from './confidential.js';
import type { State } from './state.js';

// RFC 4954 section 4: an initial response must not make the line longer than a command may be.
const COMMAND_LIMIT = 512 - 2;
const MOST_ROUNDS = 10;

/** AUTH (RFC 4954): the strongest mechanism that is offered, allowed and safe on this connection. */
export const authenticate = (state: State): Observable<State> => {
  const { settings, capabilities, wire } = state;
  const { credentials } = settings;
  if (credentials === undefined) return EMPTY;
  const offered = capabilities.authentication;
  const choice = candidates(credentials, { offered, allowed: settings.allowedAuthentication, confidential: settings.allowInsecureAuth || isConfidential(wire.stream) });
  const error = (message: string, tried: readonly string[], reply?: Reply): SmtpAuthenticationError => {
    const details = reply === undefined ? {} : { reply, outcome: 'refused' as const, retryable: reply.code === 454 || reply.code === 421 };
    return new SmtpAuthenticationError({ phase: 'auth', offered, allowed: choice.allowed, tried, transcript: wire.transcript(), ...details, message: `${wire.context.peer} ${message}` });
  };
  const signedIn = (mechanism: SaslMechanism): State => ({
    ...state, stage: 'authenticated', isAuthenticated: true,
    events: [{ type: 'authenticated', mechanism: mechanism.name, user: userOf(credentials) }],
  });
  const tryInTurn = (index: number, tried: readonly string[]): Observable<State> => {
    const create = choice.usable[index];
    if (create === undefined) return throwError(() => error(nothingInCommon(offered, choice), tried));
    const mechanism = create();
    return converse(state, mechanism).pipe(
      concatMap((reply) => {
        if (reply.code === 235) return mechanism.done ? of(signedIn(mechanism)) : throwError(() => early(state, mechanism, reply));
        if (!isRefusal(reply)) return throwError(() => unexpected(wire, 'auth', 'AUTH', reply));
        const now = [...tried, mechanism.name];
        // A mechanism that the server would rather not use is not a wrong password: only then is the next one tried.
        return (reply.code === 504 || reply.code === 534) && choice.usable.length > index + 1
          ? defer(() => tryInTurn(index + 1, now))
          : throwError(() => error(`refused the sign-in by ${mechanism.name}: ${formatReply(reply)}. Check "auth".`, now, reply));
      }),
    );
  };
  return defer(() => tryInTurn(0, []));
};

/** The exchange of one mechanism, to the reply that is no challenge. */
const converse = (state: State, mechanism: SaslMechanism): Observable<Reply> => {
  const { wire, operation } = state;
  const ask = (command: Command): Observable<Reply> => exchange(wire, [command], { operation });
  const conceal = (response: Uint8Array): Uint8Array => {
    const { redactor } = wire.context;
    redactor.conceal(Buffer.from(response).toString('utf8'));
    redactor.conceal(Buffer.from(response).toString('base64'));
    return response;
  };
  return defer(() => {
    const initial = mechanism.start();
    if (initial !== undefined) conceal(initial);
    const opening = auth(mechanism.name, initial);
    // A response that does not fit into the command answers the server's empty challenge instead.
    let postponed = initial !== undefined && opening.line.length > COMMAND_LIMIT ? initial : undefined;
    const respond = (challenge: string): Observable<Uint8Array> => defer(() => {
      if (postponed !== undefined) {
        const response = postponed;
        postponed = undefined;
        return of(response);
      }
      const response = mechanism.next(decodeBase64(challenge));
      return response instanceof Uint8Array ? of(response) : from(response);
    });
    return ask(postponed === undefined ? opening : auth(mechanism.name)).pipe(
      expand((reply, round) => {
        if (reply.code !== 334) return EMPTY;
        if (round >= MOST_ROUNDS) return giveUp(state, mechanism, 'it asked for more rounds than any mechanism has');
        return respond(reply.lines.join('')).pipe(
          map((response) => authResponse(conceal(response))),
          concatMap(ask),
          catchError((error: unknown) => (error instanceof SaslError ? giveUp(state, mechanism, error.message) : throwError(() => error))),
        );
      }, 1),
      filter(({ code }) => code !== 334),
    );
  });
};

// RFC 4954 section 4: a challenge that cannot be answered is answered with "*", and the server's 501 ends the exchange.
const giveUp = (state: State, mechanism: SaslMechanism, why: string): Observable<never> =>
  exchange(state.wire, [AUTH_CANCEL], { operation: state.operation }).pipe(
    concatMap(() => throwError((): SmtpError => new SmtpProtocolError('E_PROTOCOL', {
      phase: 'auth', transcript: state.wire.transcript(),
      message: `The ${mechanism.name} exchange with ${state.wire.context.peer} was given up: ${why}. Allow another mechanism with "allowedAuthentication".`,
    }))),
  );

const early = (state: State, mechanism: SaslMechanism, reply: Reply): SmtpProtocolError =>
  new SmtpProtocolError('E_PROTOCOL', {
    phase: 'auth', reply, transcript: state.wire.transcript(),
    message: `${state.wire.context.peer} declared the sign-in by ${mechanism.name} done before it was. It may not be the server that it seems to be.`,
  });

const nothingInCommon = (offered: readonly string[], { allowed, withheld }: ReturnType<typeof candidates>): string => {
  if (offered.length === 0) return 'offers no authentication here. Leave "auth" out if it needs none, or use a port that asks for it (465 or 587).';
  if (withheld.length > 0) return `offers ${offered.join(', ')}, but ${withheld.join(', ')} would send the password over clear text. Use TLS, or set "allowInsecureAuth" if the network is trusted.`;
  return `offers ${offered.join(', ')}, and allowed are ${allowed.join(', ') || 'none'}: nothing in common. Change "allowedAuthentication".`;
};

const userOf = (credentials: Credentials): string => (credentials.kind === 'password' ? credentials.user : '');
