import { firstValueFrom, type Observable } from 'rxjs';
import { SmtpError, SmtpPartialError, type Outcome, type RefusedRecipient } from '../index.js';
import { formatReply } from '../protocol/reply.js';
import { EXIT_CODES, exitCodeOf } from './exit-codes.js';
import { writeLine, type Io } from './io.js';

/** How a command ended: what the shell gets, and what the person is told. */
export interface Ending {
  readonly code: number;
  readonly text: string;
}

const WHAT_IT_MEANS: Readonly<Record<Outcome, string>> = {
  'not-sent': 'The mail was not sent.',
  refused: 'The server refused.',
  accepted: 'The server has the mail.',
  unknown: 'The server may have the mail or not: sending again may deliver it twice.',
};

/**
 * What is not an `SmtpError` is a fault of this program, and keeps its stack.
 * @param meaning what the failure means to the person, where it is not about a mail.
 */
export const endedBy = (error: unknown, meaning?: string): Ending => {
  if (!(error instanceof SmtpError)) throw error;
  return { code: exitCodeOf(error), text: textOf(error, meaning) };
};

const textOf = (error: SmtpError, meaning?: string): string => {
  const { code, phase, outcome, retryable, message } = error;
  if (code === 'E_USAGE') return message;
  if (error instanceof SmtpPartialError) return [message, ...whoLacksIt(error)].join('\n');
  return `${outcome} (${code}, ${phase}): ${message}\n${meaning ?? WHAT_IT_MEANS[outcome]}${retryable ? ' A retry is safe.' : ''}`;
};

/** Those whom the server refused, a line each. */
export const whoWasRefused = (refused: readonly RefusedRecipient[]): readonly string[] => refused.map(({ recipient, reply }) => `refused for ${recipient}: ${formatReply(reply)}`);

const whoLacksIt = ({ refused, unsent, inDoubt }: SmtpPartialError): readonly string[] => [
  ...whoWasRefused(refused),
  ...unsent.map((address) => `not sent to ${address}`),
  ...inDoubt.map((address) => `unknown for ${address}`),
];

/** Cancelled before the end of the data left, the server cannot have accepted anything. */
export const interrupted = (contentHasLeft: boolean, meaning?: string): Ending => {
  const outcome = contentHasLeft ? 'unknown' : 'not-sent';
  return { code: EXIT_CODES[outcome], text: `${outcome} (interrupted): ${meaning ?? WHAT_IT_MEANS[outcome]}` };
};

/** Tells the person the first of these. Gives the exit code, which Ctrl-C does not change while the server is left. */
export const tellFirst = async (endings$: Observable<Ending>, { stdout, stderr, interrupted$ }: Io): Promise<number> => {
  // Never unsubscribed: without anybody who listens, the first one ends the process.
  interrupted$.subscribe();
  const { code, text } = await firstValueFrom(endings$);
  writeLine(code === EXIT_CODES.accepted ? stdout : stderr, text);
  return code;
};
