const NOT_YET = 'is not supported yet.';
const BUILT_ELSEWHERE = 'is not composed here. Build the message with nodemailer/lib/mail-composer, and send its bytes as "raw".';
export const SIGNED_ELSEWHERE = `${NOT_YET} Have nodemailer sign the message in its stream transport, without "bcc", and send its bytes as "raw".`;
/** Why there is no `signal` to give. */
export const BY_UNSUBSCRIBING = 'is not known here: unsubscribing cancels, as takeUntil(signal.aborted ? of(0) : fromEvent(signal, "abort")) does behind send().';
const inHeaders = (example: string): string => `is part of "headers" here: { ${example} }.`;
const CHOSEN = 'has no counterpart: how a text is encoded is decided by what it holds.';

/** Fields that a message of another library has, and what to write here. */
export const NAMED_ELSEWHERE: Readonly<Record<string, string>> = {
  deliverBy: NOT_YET, holdUntil: NOT_YET,
  dkim: SIGNED_ELSEWHERE,
  signal: BY_UNSUBSCRIBING,
  alternatives: BUILT_ELSEWHERE, icalEvent: BUILT_ELSEWHERE, amp: BUILT_ELSEWHERE,
  list: inHeaders('"List-Unsubscribe": "<https://example.com/u>"'),
  priority: inHeaders('"X-Priority": "1 (Highest)", Importance: "high"'),
  textEncoding: CHOSEN, encoding: CHOSEN,
};
