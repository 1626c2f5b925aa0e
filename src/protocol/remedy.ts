import { formatReply, type Reply } from './reply.js';

/** What helps against a refusal with such words, or such a code in front of them, and to who has signed in where that is something else. A text may be long: no pattern may go over it twice. */
export type Remedies = readonly (readonly [words: RegExp, remedy: string, signedIn?: string])[];

export const remedyIn = (remedies: Remedies, reply: Reply, isSignedIn = false): string | undefined => {
  const text = formatReply(reply);
  const [, remedy, signedIn = remedy] = remedies.find(([words]) => words.test(text)) ?? [];
  return isSignedIn ? signedIn : remedy;
};

/** Also before there is a mail. */
export const TOO_MANY_CONNECTIONS: Remedies = [
  [/^432 4\.3\.2 |\bconcurrent (?:SMTP )?connections?\b|\btoo many (?:concurrent )?(?:SMTP )?connections\b/i, 'Use fewer connections: share one client, or lower "pool.maxConnections".'],
];

/** By its words, whatever the code. */
export const isOfConnections = (reply: Reply): boolean => remedyIn(TOO_MANY_CONNECTIONS, reply) !== undefined;

const LIMITS_AND_SENDERS: Remedies = [
  ...TOO_MANY_CONNECTIONS,
  [/\b(?:sending|submission|message|mail|delivery request) rate\b|\brate[ -]limit|\b(?:e-?mails|messages) per (?:second|minute|hour)\b|\btoo much mail from\b/i, 'Send slower: set "pool.rate".'],
  [/\bdaily (?:(?:user|SMTP|relay|message|e?mail|sending|recipient) ){0,4}(?:limit|quota)\b|\bsending (?:limit|quota)\b|\bSubmissionQuotaExceeded/i, 'The account may send no more for now: wait, or have its limit raised.'],
  [/^\d{3} 5\.7\.60 |\bSendAsDenied|\bnot allowed to send as\b|\brelaying disallowed as\b|\bnot owned by user\b|\bmail from (?:address )?must (?:equal|be same as) auth/i, 'Set "from" to an address that this account may send as.'],
  [/\baddress is not verified\b|\bverified sender identity\b/i, 'Have the address verified there, or set "from" to one that is.'],
];

const OF_CLIENT_NAME = /\b(?:HELO|EHLO) command rejected\b|\b(?:bad|invalid) (?:HELO|EHLO)\b/i;
export const NAME_IF_IT_GOES_ON = 'Send it again later. If it goes on, set "clientName" to this host\'s full name.';

// Said for now, where DNS has no answer, of what may be misspelt.
const OF_NAMES: Remedies = [
  [OF_CLIENT_NAME, NAME_IF_IT_GOES_ON],
  // RFC 3463 section 3.2.
  [/^\d{3} 4\.1\./, 'Send it again later. If it goes on, check the address.'],
];

/** What helps against a refusal: what its words ask for, waiting where it is a 4yz, or something else. */
export const remedyFor = (reply: Reply, otherwise = 'Change what its words tell of, or ask its operator.'): string => {
  const asked = remedyIn(LIMITS_AND_SENDERS, reply);
  if (asked !== undefined) return asked;
  if (reply.severity === 4) return remedyIn(OF_NAMES, reply) ?? 'Send it again later.';
  return isTooLarge(reply) ? 'Send less, or a link.' : otherwise;
};

/** RFC 1870 section 6.1, and RFC 3463 sections 3.3 and 3.4: x.2.3 is the administrator's limit, x.3.4 the system's. */
const isTooLarge = ({ code, enhanced }: Reply): boolean =>
  enhanced === undefined ? code === 552 : (enhanced[1] === 2 && enhanced[2] === 3) || (enhanced[1] === 3 && enhanced[2] === 4);

const CHECK_SENDER = ['Check the sender\'s address, and whether "auth" is needed.', 'Check the sender\'s address, and whether this account may send as it.'] as const;
const CHECK_CLIENT = 'Check whether "auth" is needed, and whether the server takes mail from this client\'s address.';

// Many servers wait for RCPT with it.
const CLIENT_AND_SENDER: Remedies = [
  [OF_CLIENT_NAME, 'Set "clientName" to this host\'s full name.'],
  [/\bsender (?:address|domain|verif)/i, ...CHECK_SENDER],
  [/\bblocked using\b|\bspamhaus\b|\bblock ?list|\bblack ?list/i, CHECK_CLIENT, 'Check whether the server takes mail from this client\'s address.'],
  // RFC 4954 section 6, and RFC 3463 section 3.8: security, or a policy. Hosts and addresses that are named are no such words.
  [/^530 |^\d{3} \d\.7\.|\(#\d\.7\.|(?<![\w.@-])relay(?:ing)?(?![\w@-]|\.\w)|\bauthenticat/i, CHECK_CLIENT, 'Check what this account may send, from which addresses and to whom.'],
];

const AT_MAIL: Remedies = [...CLIENT_AND_SENDER, [/^/, ...CHECK_SENDER]];
const AT_RCPT: Remedies = [
  ...CLIENT_AND_SENDER,
  // RFC 3463 section 3.3.
  [/^\d{3} \d\.2\./, 'The mailbox takes no mail now, which only its owner or operator can change.'],
  [/^/, 'Check the recipient\'s address.'],
];

export const remedyAtMail = (reply: Reply, isSignedIn: boolean): string => remedyFor(reply, remedyIn(AT_MAIL, reply, isSignedIn));

export const remedyAtRcpt = (reply: Reply, isSignedIn: boolean): string => remedyFor(reply, remedyIn(AT_RCPT, reply, isSignedIn));
