import { catchError, concat, defer, EMPTY, expand, identity, ignoreElements, map, of, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { Capabilities } from '../protocol/capabilities.js';
import { ehlo, helo, STARTTLS } from '../protocol/command.js';
import { copyOf, SmtpConnectionError, SmtpReplyError } from '../protocol/error.js';
import { isUnknownCommand, type Reply } from '../protocol/reply.js';
import { NAME_IF_IT_GOES_ON, remedyIn, TOO_MANY_CONNECTIONS } from '../protocol/remedy.js';
import { before, deadline, sooner } from '../transport/clock.js';
import { mapError } from '../transport/map-error.js';
import { secure as secureStream } from '../transport/secure.js';
import { PERHAPS_OF_CERTIFICATE } from '../transport/tls-error.js';
import { exchange, greeting } from '../wire/exchange.js';
import { injected } from '../wire/failures.js';
import { Wire } from '../wire/wire.js';
import { authenticate } from './authenticate.js';
import { defaultClientName } from './client-name.js';
import { onCode } from './expect-reply.js';
import { readyEvent, type Next, type Stage, type State } from './state.js';
import { startTlsMissing, withoutEhlo } from './starttls-missing.js';
import { unverified } from './weak-tls.js';

/**
 * THE DIALOGUE (RFC 5321 section 3, RFC 3207, RFC 4954): what is done at each station. Which stations may follow is the
 * table `FOLLOWS`, which the compiler holds each step to.
 */
const STEPS: { readonly [S in Stage]: (state: State) => Observable<State<Next<S>>> } = {
  connected: (state) => (state.plan.security === 'implicit' ? secure(state, 'implicit') : greet(state)),
  secured: (state) => (state.plan.security === 'implicit' ? greet(state) : introduce(state)),
  greeted: (state) => introduce(state),
  introduced: (state) => (needsTls(state) ? startTls(state) : state.settings.credentials === undefined ? of(ready(state)) : authenticate(state, state.settings.credentials)),
  authenticated: (state) => of(ready(state)),
  ready: () => EMPTY,
};

/** Walks the dialogue from where a state is to `ready`, one step after the other. */
export const dialogue: MonoTypeOperatorFunction<State> = expand((state) => STEPS[state.stage](state), 1);

/** What helps against a refusal before there is a mail: for now, or for good. */
const remedyBefore = (later: string, otherwise: string) => (reply: Reply): string => remedyIn(TOO_MANY_CONNECTIONS, reply) ?? (reply.severity === 4 ? later : otherwise);

const OF_CLIENT = remedyBefore('Try again later. If it goes on, try another server or ask its operator.', 'The server takes no mail from here; try another server or ask its operator.');
const OF_NAME = remedyBefore(NAME_IF_IT_GOES_ON, 'Check the option "clientName", or ask the server\'s operator.');

const greet = (state: State): Observable<State<'greeted'>> => {
  const { wire, operation } = state;
  return greeting(wire, state.greetBy, operation).pipe(
    perhapsOfCertificate(state),
    onCode(220, { wire, phase: 'greeting', command: 'the connection', hint: OF_CLIENT },
      (reply) => ({ ...state, stage: 'greeted', events: [{ type: 'greeted', reply }] })),
  );
};

/** Some servers judge our certificate when TLS stands (RFC 8446 section 4.4.2.4), and hang up without a word. */
const perhapsOfCertificate = ({ stage, settings: { tls } }: State): MonoTypeOperatorFunction<Reply> => {
  if (stage !== 'secured' || !tls.showsCertificate) return identity;
  return mapError((error) => (error instanceof SmtpConnectionError && error.code === 'E_CLOSED' ? copyOf(error, `${error.message} ${PERHAPS_OF_CERTIFICATE}`) : error));
};

const introduce = (state: State): Observable<State<'introduced'>> => (state.refusedEhlo === undefined ? sayEhlo(state) : sayHelo(state, state.refusedEhlo));

const sayEhlo = (state: State): Observable<State<'introduced'>> => {
  const { wire, operation } = state;
  // 504 may be about the name.
  const hint = (reply: Reply): string => (needsTls(state) && isUnknownCommand(reply) && reply.code !== 504 ? withoutEhlo(reply) : OF_NAME(reply));
  return exchange(wire, [ehlo(nameOf(state))], operation).pipe(
    perhapsOfCertificate(state),
    onCode(250, { wire, phase: 'hello', command: 'EHLO', hint }, (reply) => introduced(state, Capabilities.fromEhlo(reply))),
    catchError((error: unknown) => {
      const isUnknown = error instanceof SmtpReplyError && isUnknownCommand(error.reply);
      return isUnknown && !needsTls(state) ? sayHelo(state, error) : throwError(() => error);
    }),
  );
};

/** HELO will do where STARTTLS is not needed. A sign-in then fails as it does wherever nothing is offered for it. */
const sayHelo = (state: State, refusal: SmtpReplyError): Observable<State<'introduced'>> => {
  const { wire, operation } = state;
  return exchange(wire, [helo(nameOf(state))], operation).pipe(
    // The server has said why before it hung up.
    mapError((error) => (error instanceof SmtpConnectionError ? refusal : error)),
    onCode(250, { wire, phase: 'hello', command: 'HELO', hint: OF_NAME }, (reply) => introduced(state, Capabilities.fromHelo(reply))),
  );
};

const nameOf = ({ wire, settings }: State): string => settings.clientName ?? defaultClientName(wire.stream.local);

const introduced = (state: State, capabilities: Capabilities): State<'introduced'> => ({ ...state, stage: 'introduced', capabilities, events: [{ type: 'introduced', capabilities }] });

const needsTls = ({ plan, wire }: State): boolean => plan.security !== 'none' && wire.stream.tls === undefined;

const startTls = (state: State): Observable<State<'secured'>> => {
  const { wire, operation, capabilities } = state;
  if (!capabilities.has('STARTTLS')) return throwError(() => startTlsMissing(wire.context.peer, capabilities, wire.transcript()));
  return concat(
    exchange(wire, [STARTTLS], operation).pipe(
      onCode(220, { wire, phase: 'starttls', command: 'STARTTLS', hint: () => 'It offers TLS and cannot start it; try later, or its port for implicit TLS (465).' }, identity),
      ignoreElements(),
    ),
    defer(() => secure(state, 'starttls')),
  );
};

/** The upgrade: a new wire on the secured stream, and nothing that was known before (RFC 3207 section 4.2). */
const secure = (state: State, mode: 'implicit' | 'starttls'): Observable<State<'secured'>> => {
  const { plan, settings, operation } = state;
  const { context } = state.wire;
  const { scheduler } = context;
  const end = sooner(deadline(scheduler, 'tls', settings.timeouts.tls), mode === 'implicit' ? sooner(state.greetBy, operation) : operation);
  const stream = state.wire.release();
  // Behind a proxy's answer a greeting may wait already: it tells TLS that this is the wrong door.
  if (mode === 'starttls' && stream.unread > 0) {
    // The wire has let go of it, and nobody else will close it.
    stream.destroy();
    return throwError(() => injected(context.peer, state.wire.transcript()));
  }
  return secureStream(stream, plan, settings.tls, 'tls').pipe(
    before(scheduler, end, 'tls', `The TLS handshake with ${context.peer}`),
    map((secured): State<'secured'> => {
      const { protocol, cipher, certificate } = secured.tls;
      return {
        ...state, stage: 'secured', wire: new Wire(secured, context, mode === 'starttls'), capabilities: Capabilities.none,
        events: [...unverified(settings.tls), { type: 'secured', mode, protocol, cipher, certificate }],
      };
    }),
  );
};

const ready = (state: State): State<'ready'> => ({ ...state, stage: 'ready', events: [readyEvent(state, false)] });
