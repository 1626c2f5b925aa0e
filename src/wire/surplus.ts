import { isFarewell, type Reply } from '../protocol/reply.js';
import { MalformedReply, type ReplyParser } from '../protocol/reply-parser.js';
import type { Expectation } from './expectation.js';
import type { Failure, Failures } from './failures.js';
import type { Transcript } from './transcript.js';

/**
 * Whether a reply counts although more came behind it than was asked for. The reply to content decides a mail, whatever comes
 * behind it: unless it came with others, of which one was too many. A goodbye is not, and it leaves every refusal what it is. A reply on
 * the heels of a 354 is for the content. A greeting that refuses is the end anyway, and its words are the reason.
 */
export const toleratesMore = ({ phase }: Expectation, { code, severity }: Reply, isAlone: boolean, rest: ReplyParser): boolean =>
  phase === 'body' || phase === 'quit' || (phase === 'end-of-data' && isAlone)
  || ((phase === 'end-of-data' || (severity > 3 && phase !== 'starttls')) && rest.startsWith(/^4(?:$|2(?:$|1))/))
  || (phase === 'data' && code === 354) || (phase === 'greeting' && severity > 3);

/** Why more came than was asked for: a 421 may come at any time (RFC 5321 section 3.8), the rest was planted or is out of step. */
export const whyMore = (phase: Expectation['phase'], rest: ReplyParser, transcript: Transcript, failures: Failures): Failure => {
  if (phase === 'starttls') return failures.injected();
  try {
    const reply = rest.read() ?? rest.lastWords();
    if (reply !== undefined) transcript.note(reply);
    if (reply !== undefined && isFarewell(reply)) return failures.farewell(reply);
  } catch (error) {
    if (!(error instanceof MalformedReply)) throw error;
  }
  return failures.unasked();
};
