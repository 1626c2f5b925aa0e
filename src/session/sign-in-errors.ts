import { copyOf, reasonOf, sentence, SmtpAuthenticationError, SmtpProtocolError } from '../protocol/error.js';
import { printable } from '../protocol/printable.js';
import { formatReply, isUnknownCommand, type Reply } from '../protocol/reply.js';
import { remedyIn, TOO_MANY_CONNECTIONS, type Remedies } from '../protocol/remedy.js';
import { mechanismsFor, type Choice } from '../sasl/choose.js';
import type { SaslMechanism } from '../sasl/mechanism.js';
import type { Preparation } from '../sasl/saslprep.js';
import { unlessCrossedOut } from './crossed-out.js';
import { TLS_FIRST } from './expect-reply.js';
import type { SessionCredentials } from './settings.js';
import type { State } from './state.js';

/** One sign-in: where, as whom, what may be used for it, and what was. */
export interface SignIn {
  readonly state: State;
  readonly credentials: SessionCredentials;
  readonly choice: Choice;
  /** What SASLprep does to the user and the password. */
  readonly preparation: Preparation;
  /** The mechanisms that were tried, the current one included. */
  readonly tried: readonly string[];
}

type Details = Partial<ConstructorParameters<typeof SmtpAuthenticationError>[0]>;

const failure = ({ state, choice, tried }: SignIn, message: string, details: Details = {}): SmtpAuthenticationError => {
  const { wire, capabilities } = state;
  return new SmtpAuthenticationError({
    phase: 'auth', offered: capabilities.authentication, allowed: choice.allowed, tried, transcript: wire.transcript(), ...details,
    message: `${wire.context.peer} ${message}`,
  });
};

export const nothingInCommon = (signIn: SignIn): SmtpAuthenticationError => {
  const { wire, capabilities } = signIn.state;
  const { authentication } = capabilities;
  const { allowed, withheld, unable } = signIn.choice;
  if (authentication.length === 0 && wire.stream.tls === undefined && capabilities.has('STARTTLS')) return failure(signIn, `offers no authentication here, but STARTTLS. ${TLS_FIRST}`);
  if (authentication.length === 0) return failure(signIn, `offers no authentication here. ${unlessCrossedOut(capabilities.keywords, 'Leave "auth" out if it needs none, or use a port that asks for it (465 or 587).')}`);
  const offer = `offers ${authentication.join(', ')}`;
  if (withheld.length > 0) return failure(signIn, `${offer}, but ${withheld.join(', ')} would send the secret over clear text. Use TLS, or set "allowInsecureAuth" if the network is trusted.`);
  if (unable.length > 0) return failure(signIn, `${offer}, but this runtime has no MD5 for ${unable.join(', ')}, as in FIPS mode. Use another mechanism, such as SCRAM-SHA-256 or PLAIN, or a runtime that has MD5.`);
  return failure(signIn, `${offer}, and allowed are ${allowed.join(', ') || 'none'}: nothing in common. ${whatWouldDo(signIn)}`);
};

const whatWouldDo = ({ state: { capabilities }, credentials, choice: { unnamed } }: SignIn): string => {
  if (unnamed.length > 0) return `If that will do, set allowedAuthentication: ${JSON.stringify(unnamed)}.`;
  const takesTokens = capabilities.authentication.some((name) => OF_TOKENS.includes(name));
  return credentials.kind === 'password' && takesTokens ? 'Give "auth.token" in the place of "auth.pass".' : 'Change "auth" or "allowedAuthentication".';
};

const OF_TOKENS = mechanismsFor({ kind: 'token', user: '' });

/** The server's no, with its reasons where a token was refused. */
export const refused = (signIn: SignIn, { name, refusal }: SaslMechanism, reply: Reply): SmtpAuthenticationError => {
  const { wire } = signIn.state;
  const safe = (text: string): string => printable(wire.context.redactor.clean(text));
  // A mechanism of the caller's may hold anything, whatever its type says.
  const texts = Object.entries<unknown>(refusal ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const reasons = texts.map(([what, word]) => [safe(what), safe(word)] as const);
  const why = reasons.length === 0 ? '' : ` (${reasons.map((words) => words.join(' ')).join(', ')})`;
  return failure(signIn, `refused the sign-in by ${name}: ${sentence(`${formatReply(reply)}${why}`)} ${hint(signIn, name, reply, refusal?.error)}`, {
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
  const { context } = signIn.state.wire;
  return failure(signIn, `could not be signed in to: ${what} failed: ${sentence(printable(context.redactor.clean(reasonOf(cause))))} Mend it, or sign in another way.`, { cause, retryable });
};

export const tooEarly = ({ state: { wire } }: SignIn, mechanism: string, reply: Reply): SmtpProtocolError => {
  wire.mustDrop = true;
  return new SmtpProtocolError('E_PROTOCOL', {
    phase: 'auth', reply, transcript: wire.transcript(),
    message: `${wire.context.peer} declared the sign-in by ${mechanism} done before it was. It may not be the server that it seems to be; check the host.`,
  });
};

/** The server does not take what it was told, and another try would not change that. */
export const isRefusedForGood = (error: unknown): error is SmtpAuthenticationError => error instanceof SmtpAuthenticationError && error.outcome === 'refused' && !error.retryable;

// RFC 4954 section 6: 432 waits for the user to do something, which no retry does. Exchange says it to one connection too many.
const isTransient = (reply: Reply): boolean => reply.severity === 4 && (reply.code !== 432 || remedyIn(TOO_MANY_CONNECTIONS, reply) !== undefined);

// Those that a server can check with the password alone, not with a hash of it.
const NEEDS_THE_PASSWORD = new Set(['CRAM-MD5', 'DIGEST-MD5']);

/** Why the right password may be refused. */
const otherwise = ({ preparation, tried, state: { capabilities } }: SignIn, mechanism: string): string => {
  const bound = tried.find((name) => name.endsWith('-PLUS'));
  if (bound !== undefined && bound !== mechanism) return ` It had refused ${bound}, which it offers. ${ABOUT_BINDING}`;
  if (mechanism === 'NTLM') return ' A server that knows no more than NTLMv1 refuses the right password, too: only NTLMv2 is spoken here.';
  if (mechanism.startsWith('SCRAM-') && preparation === 'changes') return ' They hold characters that SASLprep (RFC 4013) changes, which some servers do not apply: over TLS, try allowedAuthentication: ["PLAIN"].';
  if (!NEEDS_THE_PASSWORD.has(mechanism) || !capabilities.authentication.includes('PLAIN')) return '';
  return ` A server that has no more than a hash of the password cannot check it by ${mechanism}: try allowedAuthentication: ["PLAIN"].`;
};

// RFC 5802 section 7.
const OF_BINDING: ReadonlySet<unknown> = new Set(['server-does-support-channel-binding', 'channel-bindings-dont-match', 'channel-binding-not-supported', 'unsupported-channel-binding-type']);

const ABOUT_BINDING = 'Someone in between may have ended TLS, or changed what is offered: find out who. If it is the server that is at fault, set "allowedAuthentication" without the -PLUS forms.';

// What it was told is not what is wrong.
const OF_THE_ACCOUNT: Remedies = [
  ...TOO_MANY_CONNECTIONS,
  [/\bSmtpClientAuthentication is disabled\b/i, 'No other password or token helps: an administrator has to enable SMTP AUTH for this mailbox.'],
  [/\bsecurity defaults policy\b|\bdid not meet the criteria to be authenticated\b/i, 'A policy of the organization forbids this sign-in: its administrator has to allow it.'],
  [/\bunauthorized IP address\b/i, 'Have this machine\'s IP address allowed there.'],
];

const OF_PASSWORDS: Remedies = [
  [/\bbasic authentication is (?:disabled|not supported)\b/i, 'It takes no passwords any more: sign in with a token, auth: { user, token }.'],
  [/\bapp(?:lication)?[ -](?:specific[ -])?password\b|\bauthorization code\b/i, 'Give an app password or authorization code as "auth.pass", and not the password of the account.'],
  [/\bp=BadCredentials\b/, 'Google takes an app password or a token, and not the password of the account: check "auth.user" and "auth.pass".'],
];

// Said for now, as go-smtp says whatever its backend has against it.
const OF_CREDENTIALS = /\b(?:password|credentials|authentication failed)\b/i;

/** The server knows no such sign-in, whoever it is. RFC 4954 section 6 has a 500 for what is too long as well. */
const isOfTheMechanism = (reply: Reply): boolean => isUnknownCommand(reply) && !/\btoo long\b/i.test(formatReply(reply));

const hint = (signIn: SignIn, mechanism: string, reply: Reply, told: unknown): string => {
  const { credentials, state: { wire } } = signIn;
  const asked = remedyIn(OF_THE_ACCOUNT, reply);
  if (asked !== undefined) return asked;
  if (isTransient(reply)) return OF_CREDENTIALS.test(formatReply(reply)) ? 'Try again later. If it goes on, check "auth": some servers answer so to what is wrong in it.' : 'Try again later.';
  // RFC 4954 section 6, and RFC 3207 section 4.
  if ((reply.code === 538 || reply.code === 530) && wire.stream.tls === undefined) return TLS_FIRST;
  if (isOfTheMechanism(reply)) return `It takes no sign-in by ${mechanism} here. ${whatWouldDo(signIn)}`;
  switch (credentials.kind) {
    case 'password': return OF_BINDING.has(told) ? ABOUT_BINDING : remedyIn(OF_PASSWORDS, reply) ?? `Check "auth.user" and "auth.pass".${otherwise(signIn, mechanism)}`;
    case 'token': return 'Check "auth.user", and that "auth.token" is fresh and has the scope for sending mail.';
    case 'external': return 'Check the certificate in "tls", and "auth.authzid".';
    case 'mechanism': return 'Check "auth".';
  }
};
