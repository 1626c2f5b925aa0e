import { isFarewell, isRefusal, type Reply } from '../protocol/reply.js';
import { MalformedReply, type ReplyParser } from '../protocol/reply-parser.js';
import type { Expectation } from './expectation.js';
import type { Failure, Failures } from './failures.js';
import type { Transcript } from './transcript.js';

/** Whether a reply counts although more came behind it than was asked for. `isAlone`: no other one came with it. */
export const toleratesMore = ({ phase }: Expectation, reply: Reply, isAlone: boolean, rest: ReplyParser): boolean => {
  switch (phase) {
    // The reply to content decides a mail, whatever comes behind it: unless it came with others, of which one was too many.
    case 'body': return true;
    case 'end-of-data': return isAlone || saysGoodbye(rest);
    // What comes on the heels of a 354 is for the content.
    case 'data': return reply.code === 354 || (isRefusal(reply) && saysGoodbye(rest));
    // It is the end anyway, and the words of a greeting that refuses are the reason.
    case 'greeting': return isRefusal(reply);
    case 'quit': return true;
    // A goodbye is none too many, and it leaves every refusal what it is.
    default: return isRefusal(reply) && saysGoodbye(rest);
  }
};

/** What comes next is a 421, as far as it is there, or a 221: a server that ends the connection unasked has not lost count. */
const saysGoodbye = (rest: ReplyParser): boolean => rest.startsWith(/^(?:4(?:$|2(?:$|1))|221)/);

/** Why more came than was asked for: a 421 may come at any time (RFC 5321 section 3.8), the rest was planted or is out of step. */
export const whyMore = (phase: Expectation['phase'], rest: ReplyParser, transcript: Transcript, failures: Failures): Failure => {
  if (phase === 'starttls') return failures.injected();
  try {
    const reply = rest.read() ?? rest.lastWords();
    if (reply !== undefined) transcript.note(reply);
    if (reply !== undefined && isFarewell(reply)) return failures.farewell(reply);
    if (reply?.code === 221) return failures.goodbye(reply);
  } catch (error) {
    if (!(error instanceof MalformedReply)) throw error;
  }
  return failures.unasked();
};
