/** What the server answered to one command (RFC 5321 section 4.2). Its text is safe to print and holds no secret. */
export interface Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /** The first digit: 2 done, 3 go on, 4 not now, 5 no. */
  readonly severity: 2 | 3 | 4 | 5;
  /** The enhanced status code (RFC 3463), if the server sent one that matches the code. */
  readonly enhanced?: readonly [statusClass: number, subject: number, detail: number];
  /** The text after the code, line by line; control characters are escaped. */
  readonly lines: readonly string[];
}

export const isPositive = (reply: Reply): boolean => reply.severity === 2;
/** A yes to a connection, to STARTTLS or to a sign-in: it is none to MAIL. */
export const isForeignYes = ({ code }: Reply): boolean => code === 220 || code === 235;
export const isRefusal = (reply: Reply): boolean => reply.severity >= 4;

/** A 421 may answer any command: the server is about to close the channel (RFC 5321 section 3.8). */
export const isFarewell = (reply: Reply): boolean => reply.code === 421;

/** RFC 3463 section 3.5: the connection was bad, and nothing is said of the mail. Amazon and Google end an idle one by 451 4.4.2, and not by 421, Exchange by 451 4.7.0. */
export const isOfTheConnection = ({ severity, enhanced, lines }: Reply): boolean =>
  severity === 4 && ((enhanced?.[1] === 4 && enhanced[2] === 2) || lines[0]?.startsWith('4.7.0 Timeout waiting for client input') === true);

/** RFC 3463 sections 3.2 and 3.3: an address or a mailbox was bad, and other mails are not concerned. */
export const isOfAnAddress = ({ enhanced }: Reply): boolean => enhanced?.[1] === 1 || enhanced?.[1] === 2;

/** RFC 3463 section 3.4: the server's own system was bad, its disk being full, say. */
export const isOfTheSystem = ({ enhanced }: Reply): boolean => enhanced?.[1] === 3;

/** RFC 3463 section 3.6: too many recipients, of one mail or of all in its session. */
export const isOfTheNumber = ({ enhanced }: Reply): boolean => enhanced?.[1] === 5 && enhanced[2] === 3;

/**
 * The reply to RCPT is about the number of recipients, and not about this one: 452, or 552, which says the same (RFC 5321
 * section 4.5.3.1.10), or x.5.3. A status of the address, the mailbox, the message's size or, for good, a policy tells
 * otherwise: x.1, x.2, x.3.4 or 5.7.
 */
export const isTooMany = (reply: Reply): boolean => {
  const { code, enhanced: [, subject, detail] = [0, 0, 0] } = reply;
  if (isOfTheNumber(reply)) return code !== 421;
  const isOfSomethingElse = isOfAnAddress(reply) || (subject === 3 && detail === 4) || (code === 552 && subject === 7);
  return (code === 452 || code === 552) && !isOfSomethingElse;
};

/** Only these say that the command itself is not known (RFC 5321 section 3.2): a server that knows HELO and no more. */
export const isUnknownCommand = ({ code }: Reply): boolean => code === 500 || code === 502 || code === 504;

/** The reply on one line, for errors and logs: `550 5.1.1 No such user`. */
export const formatReply = (reply: Reply): string => `${String(reply.code)} ${reply.lines.join(' / ')}`.trimEnd();

export const makeReply = (code: number, lines: readonly string[]): Reply => {
  const severity = Math.floor(code / 100) as Reply['severity'];
  const enhanced = enhancedStatus(severity, lines[0] ?? '');
  Object.freeze(lines);
  return Object.freeze(enhanced === undefined ? { code, severity, lines } : { code, severity, enhanced, lines });
};

// RFC 2034 section 4: the class is the reply's first digit; anything else is text that looks like a status.
const enhancedStatus = (severity: number, text: string): Reply['enhanced'] | undefined => {
  const match = /^([245])\.(\d{1,3})\.(\d{1,3})(?: |$)/.exec(text);
  return match && Number(match[1]) === severity ? Object.freeze([severity, Number(match[2]), Number(match[3])] as const) : undefined;
};
