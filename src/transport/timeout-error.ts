import type { SchedulerLike } from 'rxjs';
import { IN_DOUBT, outcomeOf, SmtpTimeoutError, type Phase } from '../protocol/error.js';
import type { LogLine } from '../protocol/log-line.js';
import type { Limit } from '../protocol/timeouts.js';
import type { Deadline } from './clock.js';

const SILENT = 'Check the host, the port and "security", or raise that limit.';
const LATER = 'Try again later, or raise that limit.';
// Host and port are right where a server has spoken.
const HINTS: Partial<Record<Limit, string>> = {
  resolve: 'Check the resolver of this machine, or raise that limit.',
  connect: 'Check the host and port, and whether a firewall or your provider blocks this port; or raise that limit.',
  proxy: 'It may not speak this protocol: check the option "proxy", and the host and port behind it; or raise that limit.',
  command: LATER,
  dataBlock: LATER,
  endOfData: 'Raise that limit: some servers read a mail before they answer.',
  operation: 'Raise that limit. The phase and the transcript tell what took so long.',
  close: 'Raise that limit to give mails under way more time.',
};

const hintAt = (limit: Limit, phase: Phase): string => {
  const hint = HINTS[limit] ?? SILENT;
  return outcomeOf(phase) === 'unknown' ? `${IN_DOUBT} ${hint === LATER ? 'Raise that limit.' : hint}` : hint;
};

// The others cover more than one thing that has to come.
const IS_A_REPLY: ReadonlySet<Limit> = new Set<Limit>(['resolve', 'greeting', 'command', 'endOfData', 'quit']);

/** @param hint what to change, as a sentence. */
export const timeoutError = (scheduler: SchedulerLike, { limit, since, at }: Deadline, phase: Phase, what: string, transcript: readonly LogLine[] = [], hint = hintAt(limit, phase)): SmtpTimeoutError =>
  new SmtpTimeoutError({
    limit,
    phase,
    transcript,
    elapsed: scheduler.now() - since,
    message: `${what}: ${IS_A_REPLY.has(limit) ? 'nothing came' : 'it was not over'} within timeouts.${limit} = ${String(Math.round(at - since))} ms. ${hint}`,
  });
