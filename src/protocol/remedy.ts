import { formatReply, type Reply } from './reply.js';

/** What helps against a refusal with such words, or such a code in front of them. A text may be long: no pattern may go over it twice. */
export type Remedies = readonly (readonly [words: RegExp, remedy: string])[];

export const remedyIn = (remedies: Remedies, reply: Reply): string | undefined => {
  const text = formatReply(reply);
  return remedies.find(([words]) => words.test(text))?.[1];
};

/** Also before there is a mail. */
export const TOO_MANY_CONNECTIONS: Remedies = [
  [/^432 4\.3\.2 |\bconcurrent (?:SMTP )?connections?\b|\btoo many (?:concurrent )?(?:SMTP )?connections\b/i, 'Use fewer connections: lower "pool.maxConnections".'],
];

const LIMITS_AND_SENDERS: Remedies = [
  ...TOO_MANY_CONNECTIONS,
  [/\b(?:sending|submission|message|mail|delivery request) rate\b|\brate[ -]limit|\b(?:e-?mails|messages) per (?:second|minute|hour)\b|\btoo much mail from\b/i, 'Send slower: set "pool.rate".'],
  [/\bdaily (?:(?:user|SMTP|relay|message|e?mail|sending|recipient) ){0,4}(?:limit|quota)\b|\bsending (?:limit|quota)\b|\bSubmissionQuotaExceeded/i, 'The account may send no more for now: wait, or have its limit raised.'],
  [/^\d{3} 5\.7\.60 |\bSendAsDenied|\bnot allowed to send as\b|\brelaying disallowed as\b|\bnot owned by user\b/i, 'Set "from" to an address that this account may send as.'],
  [/\baddress is not verified\b|\bverified sender identity\b/i, 'Have the address verified there, or set "from" to one that is.'],
];

/** What helps against a refusal: what its words ask for, waiting where it is a 4yz, or something else. */
export const remedyFor = (reply: Reply, otherwise: string): string => {
  const asked = remedyIn(LIMITS_AND_SENDERS, reply);
  if (asked !== undefined) return asked;
  if (reply.severity === 4) return 'Send it again later.';
  return isTooLarge(reply) ? 'Send less, or a link.' : otherwise;
};

/** RFC 1870 section 6.1, and RFC 3463 sections 3.3 and 3.4: x.2.3 is the administrator's limit, x.3.4 the system's. */
const isTooLarge = ({ code, enhanced }: Reply): boolean =>
  enhanced === undefined ? code === 552 : (enhanced[1] === 2 && enhanced[2] === 3) || (enhanced[1] === 3 && enhanced[2] === 4);

/** As an answer to MAIL or RCPT: many servers wait for RCPT with what they have against the client or the sender. */
export const remedyForEnvelope = (reply: Reply, otherwise: string): string => remedyFor(reply, remedyIn(CLIENT_AND_SENDER, reply) ?? otherwise);

export const CHECK_SENDER = 'Check the sender\'s address, and whether "auth" is needed.';

const CLIENT_AND_SENDER: Remedies = [
  [/\bsender (?:address|domain|verif)/i, CHECK_SENDER],
  // RFC 4954 section 6, and RFC 3463 section 3.8: security, or a policy. Hosts and addresses that are named are no such words.
  [/^530 |^\d{3} \d\.7\.|\(#\d\.7\.|(?<![\w.@-])relay(?:ing)?(?![\w@-]|\.\w)|\bauthenticat|\bblocked using\b|\bspamhaus\b|\bblock ?list|\bblack ?list/i, 'Check whether "auth" is needed, and whether the server takes mail from this client\'s address.'],
];

/** As an answer to the content. */
export const remedyForContent = (reply: Reply): string => remedyFor(reply, 'Change what its words tell of, or ask its operator.');
