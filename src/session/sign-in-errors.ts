import { copyOf, reasonOf, sentence, SmtpAuthenticationError, SmtpProtocolError } from '../protocol/error.js';
import { printable } from '../protocol/printable.js';
import { isOfConnections } from '../protocol/remedy.js';
import { formatReply, type Reply } from '../protocol/reply.js';
import type { SaslMechanism } from '../sasl/mechanism.js';
import { unlessCrossedOut } from './crossed-out.js';
import { TLS_FIRST } from './expect-reply.js';
import type { SignIn } from './sign-in.js';
import { isTransient, remedyAtSignIn, whatWouldDo } from './sign-in-remedies.js';

type Details = Partial<ConstructorParameters<typeof SmtpAuthenticationError>[0]>;

const failure = ({ state, choice, tried }: SignIn, message: string, details: Details = {}): SmtpAuthenticationError => {
  const { wire, capabilities } = state;
  return new SmtpAuthenticationError({
    phase: 'auth', offered: capabilities.authentication, allowed: choice.allowed, tried, transcript: wire.transcript(), ...details,
    message: `${wire.context.peer} ${message}`,
  });
};

export const nothingInCommon = (signIn: SignIn): SmtpAuthenticationError => failure(signIn, whyNone(signIn));

/** Why no mechanism is left to try. */
const whyNone = (signIn: SignIn): string => {
  const { state: { wire, capabilities }, choice: { allowed, withheld, unable } } = signIn;
  const { authentication } = capabilities;
  if (authentication.length === 0 && wire.stream.tls === undefined && capabilities.has('STARTTLS')) return `offers no authentication here, but STARTTLS. ${TLS_FIRST}`;
  if (authentication.length === 0) return `offers no authentication here. ${unlessCrossedOut(capabilities.keywords, 'Leave "auth" out if it needs none, or use a port that asks for it (465 or 587).')}`;
  const offer = `offers ${authentication.join(', ')}`;
  if (withheld.length > 0) return `${offer}, but ${withheld.join(', ')} would send the secret over clear text. Use TLS, or set "allowInsecureAuth" if the network is trusted.`;
  if (unable.length > 0) return `${offer}, but this runtime has no MD5 for ${unable.join(', ')}, as in FIPS mode. Use another mechanism, such as SCRAM-SHA-256 or PLAIN, or a runtime that has MD5.`;
  return `${offer}, and allowed are ${allowed.join(', ') || 'none'}: nothing in common. ${whatWouldDo(signIn)}`;
};

/** The server's no, with the reasons that its mechanism was told. */
export const refused = (signIn: SignIn, { name, refusal }: SaslMechanism, reply: Reply): SmtpAuthenticationError => {
  const { wire } = signIn.state;
  const safe = (text: string): string => printable(wire.context.redactor.clean(text));
  // A mechanism of the caller's may hold anything, whatever its type says.
  const texts = Object.entries<unknown>(refusal ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const reasons = texts.map(([what, word]) => [safe(what), safe(word)] as const);
  const why = reasons.length === 0 ? '' : ` (${reasons.map((words) => words.join(' ')).join(', ')})`;
  return failure(signIn, `refused the sign-in by ${name}: ${sentence(`${formatReply(reply)}${why}`)} ${remedyAtSignIn(signIn, name, reply, refusal?.error)}`, {
    reply, outcome: 'refused', retryable: isTransient(reply), ...(refusal === undefined ? {} : { refusal: Object.fromEntries(reasons) }),
  });
};

/** The same where the server hung up behind it, before it answered what came next, which may be taken yet. */
export const hungUp = (refusal: SmtpAuthenticationError, next: string): SmtpAuthenticationError =>
  Object.assign(copyOf(refusal, `${refusal.message} It hung up before it answered ${next}.`), { retryable: true });

/** A token or a mechanism was refused for good, and what was to follow was not heard: it may have another connection. */
export const isUnheard = (error: unknown): boolean => error instanceof SmtpAuthenticationError && error.retryable && error.reply?.severity === 5;

/** What the caller gave to sign in with, a function or a mechanism, has thrown. */
export const broken = (signIn: SignIn, what: string, cause: unknown, retryable: boolean): SmtpAuthenticationError => {
  const { redactor } = signIn.state.wire.context;
  return failure(signIn, `could not be signed in to: ${what} failed: ${sentence(reasonOf(cause, (words) => redactor.clean(words)))} Mend it, or sign in another way.`, { cause, retryable });
};

export const tooEarly = ({ state: { wire } }: SignIn, mechanism: string, reply: Reply): SmtpProtocolError => {
  wire.mustDrop = true;
  return new SmtpProtocolError('E_PROTOCOL', {
    phase: 'auth', reply, transcript: wire.transcript(),
    message: `${wire.context.peer} declared the sign-in by ${mechanism} done before it was. It may not be the server that it seems to be; check the host.`,
  });
};

/**
 * The server does not take what it was told, and another try would not change that. Where it took the same before, with fewer connections it
 * may again. Until then such words may come with a wrong password as well.
 */
export const isRefusedForGood = (error: unknown, wasTaken = false): error is SmtpAuthenticationError =>
  error instanceof SmtpAuthenticationError && error.outcome === 'refused' && !error.retryable && !(wasTaken && error.reply !== undefined && isOfConnections(error.reply));
