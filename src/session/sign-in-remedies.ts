import { formatReply, isUnknownCommand, type Reply } from '../protocol/reply.js';
import { isOfConnections, remedyIn, TOO_MANY_CONNECTIONS, type Remedies } from '../protocol/remedy.js';
import { mechanismsFor } from '../sasl/choose.js';
import { TLS_FIRST } from './expect-reply.js';
import type { SignIn } from './sign-in.js';

/** What helps where the server takes no such sign-in. */
export const whatWouldDo = ({ state: { capabilities }, credentials, choice: { unnamed } }: SignIn): string => {
  if (unnamed.length > 0) return `If that will do, set allowedAuthentication: ${JSON.stringify(unnamed)}.`;
  const takesTokens = capabilities.authentication.some((name) => OF_TOKENS.includes(name));
  return credentials.kind === 'password' && takesTokens ? 'Give "auth.token" in the place of "auth.pass".' : 'Change "auth" or "allowedAuthentication".';
};

const OF_TOKENS = mechanismsFor({ kind: 'token', user: '' });

/**
 * What helps against the server's no.
 * @param told its reason, where the mechanism has a word for that.
 */
export const remedyAtSignIn = (signIn: SignIn, mechanism: string, reply: Reply, told: unknown): string => {
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

// RFC 4954 section 6: 432 waits for the user to do something, which no retry does. Exchange says it to one connection too many.
export const isTransient = (reply: Reply): boolean => reply.severity === 4 && (reply.code !== 432 || isOfConnections(reply));

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
