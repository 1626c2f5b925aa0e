import { concatMap, identity, of, tap, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { SmtpError, type SmtpAuthenticationError } from '../protocol/error.js';
import { isRefusal, type Reply } from '../protocol/reply.js';
import { Secret } from '../protocol/secret.js';
import { candidates, userOf } from '../sasl/choose.js';
import type { SaslMechanism } from '../sasl/mechanism.js';
import { preparationOf } from '../sasl/saslprep.js';
import { before } from '../transport/clock.js';
import { mapError } from '../transport/map-error.js';
import type { Wire } from '../wire/wire.js';
import { isConfidential } from './confidential.js';
import { unexpected } from './expect-reply.js';
import { oneAtATime } from './one-at-a-time.js';
import { oneTry } from './one-try.js';
import { inTime, lostBefore, saslExchange, type SaslOutcome } from './sasl-exchange.js';
import { stayTheSame, type SessionCredentials } from './settings.js';
import type { SignIn } from './sign-in.js';
import { broken, hungUp, nothingInCommon, refused, tooEarly } from './sign-in-errors.js';
import type { State } from './state.js';
import type { RejectedToken } from './token-source.js';

/** AUTH (RFC 4954): the strongest mechanism that is offered, allowed and safe on this connection. */
export const authenticate = (state: State, credentials: SessionCredentials): Observable<State<'authenticated'>> => {
  const { settings, capabilities, wire, plan, operation } = state;
  const preparation = credentials.kind === 'password' ? preparationOf(credentials.user, credentials.pass.reveal()) : 'keeps';
  const choice = candidates(credentials, {
    offered: capabilities.authentication, allowed: settings.allowedAuthentication, service: plan, binding: wire.stream.tls?.binding,
    confidential: settings.allowInsecureAuth || isConfidential(wire.stream), preparation,
  });
  const tokens = credentials.kind === 'token' ? credentials.tokens : undefined;
  const rejected = tokens?.unheard;
  if (tokens !== undefined) tokens.unheard = undefined;
  return attempt({ state, credentials, choice, preparation, tried: [] }, { index: 0, rejected }).pipe(
    takingTurns(credentials, wire),
    before(wire.context.scheduler, operation, 'auth', `Signing in to ${wire.context.peer}`),
  );
};

const takingTurns = (credentials: SessionCredentials, wire: Wire): MonoTypeOperatorFunction<State<'authenticated'>> =>
  credentials.kind === 'mechanism' ? oneAtATime(credentials.mechanism) : stayTheSame(credentials) ? oneTry(credentials, lostBefore(wire)) : identity;

/** Which of the usable mechanisms is next, and the token that the server has refused last. */
interface Turn {
  readonly index: number;
  readonly rejected: RejectedToken | undefined;
  /** What is told where the server hangs up in the place of an answer to this one. */
  readonly refusal?: SmtpAuthenticationError;
}

const attempt = (soFar: SignIn, turn: Turn): Observable<State<'authenticated'>> => {
  const { state, credentials, choice: { usable } } = soFar;
  const { index, rejected } = turn;
  const tokens = credentials.kind === 'token' ? credentials.tokens : undefined;
  const way = usable[index];
  if (way === undefined) return throwError(() => nothingInCommon(soFar));
  const signIn: SignIn = soFar.tried.includes(way.name) ? soFar : { ...soFar, tried: [...soFar.tried, way.name] };

  const judge = (mechanism: SaslMechanism, secret: Secret, { reply, nothingTold, hasBegun }: SaslOutcome): Observable<State<'authenticated'>> => {
    if (reply.code === 235) return hasBegun && mechanism.done ? of(signedIn(signIn, way.name)) : throwError(() => tooEarly(signIn, way.name, reply));
    if (!isRefusal(reply)) return throwError(() => unexpected(state.wire, 'auth', 'AUTH', reply));
    const refusal = refused(signIn, mechanism, reply);
    const next = usable[index + 1];
    if (next !== undefined && speaksOfTheMechanism(reply, nothingTold)) return attempt(signIn, { index: index + 1, rejected, refusal: hungUp(refusal, next.name) });
    const mayBeStale = tokens?.renew !== undefined && reply.severity === 5;
    if (!mayBeStale || rejected !== undefined) return throwError(() => refusal);
    return attempt(signIn, { index, rejected: { token: secret, reply }, refusal: hungUp(refusal, 'the renewed token') });
  };

  return secretFor(signIn, turn).pipe(
    concatMap((secret) => {
      const mechanism = way.begin(secret);
      return saslExchange(signIn, mechanism, turn.refusal).pipe(
        tap({ error: (error: unknown) => { if (tokens !== undefined && error === turn.refusal) tokens.unheard = rejected; } }),
        explain((cause) => broken(signIn, `the mechanism ${way.name}`, cause, false)),
        concatMap((outcome) => judge(mechanism, secret, outcome)),
      );
    }),
  );
};

const NO_SECRET = new Secret('');

/** The password or token of this turn. Only now is a token asked for, because only now is it known to be of use. */
const secretFor = (signIn: SignIn, { rejected }: Turn): Observable<Secret> => {
  const { state: { wire, greetBy }, credentials } = signIn;
  if (credentials.kind === 'password') return of(credentials.pass);
  if (credentials.kind !== 'token') return of(NO_SECRET);
  const { token, renew } = credentials.tokens;
  return (rejected === undefined || renew === undefined ? token(greetBy.since, wire.context.scheduler) : renew(rejected.token, rejected.reply)).pipe(
    inTime(wire, 'The function "auth.token"'),
    explain((cause) => broken(signIn, 'the function "auth.token"', cause, true)),
    tap((secret) => { wire.context.redactor.conceal(secret); }),
  );
};

/** Errors of the caller's own code become ours; ours are told as they are. */
const explain = <T>(told: (cause: unknown) => SmtpError): MonoTypeOperatorFunction<T> =>
  mapError((error) => (error instanceof SmtpError ? error : told(error)));

const signedIn = ({ state, credentials }: SignIn, mechanism: string): State<'authenticated'> => ({
  ...state, stage: 'authenticated', events: [{ type: 'authenticated', mechanism, user: userOf(credentials) }],
});

/**
 * The server would rather not use it, or does not know it. That is no wrong password: only then is the next one tried. RFC 4954
 * section 6 says 534 of a mechanism that is too weak, some servers of the password that they were told.
 */
const speaksOfTheMechanism = ({ code }: Reply, nothingTold: boolean): boolean =>
  code === 504 || (nothingTold && (code === 534 || code === 500 || code === 501 || code === 502));
