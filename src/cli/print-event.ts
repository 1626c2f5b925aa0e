import { defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { Capabilities, ConnectionPlan, Endpoint, Receipt, SmtpEvent } from '../index.js';
import { describePlan, hostAndPort } from '../protocol/connection-plan.js';
import { printable } from '../protocol/printable.js';
import { formatReply } from '../protocol/reply.js';
import { writeLine, type Output } from './io.js';
import { ProgressLine, size } from './progress-line.js';
import { style } from './style.js';

/**
 * Shows a stream of events as it passes: a line for each with its time, and progress as it moves.
 * @param expected about how many bytes the content will have, for a mail that is composed on the way.
 */
export const printEvents = <T extends SmtpEvent>(out: Output, expected?: number): MonoTypeOperatorFunction<T> => (events$) =>
  defer(() => {
    const startedAt = performance.now();
    const progress = new ProgressLine(out);
    const print = (event: SmtpEvent): void => {
      if (event.type === 'progress') { progress.update(event.bytesSent, event.bytesTotal ?? expected); return; }
      progress.clear();
      const time = `${String(Math.round(performance.now() - startedAt)).padStart(6)} ms`;
      writeLine(out, `${style(out, 'gray', time)}  ${style(out, COLOURS[event.type] ?? 'bold', event.type.padEnd(18))}  ${describe(event)}`);
    };
    return events$.pipe(tap<T>({ next: print, finalize: () => { progress.clear(); } }));
  });

const COLOURS: Readonly<Partial<Record<SmtpEvent['type'], 'red' | 'green' | 'yellow'>>> = {
  'attempt-failed': 'yellow', warning: 'yellow', 'recipient-refused': 'red', accepted: 'green', ready: 'green',
};

const describe = (event: Exclude<SmtpEvent, { type: 'progress' }>): string => {
  switch (event.type) {
    case 'attempt-started': return plan(event.plan);
    case 'attempt-failed': return `${plan(event.plan)}, wrong door: ${event.error.message}`;
    case 'connected': return `${endpoint(event.remote)}${event.via === undefined ? '' : ` via ${printable(event.via)}`}`;
    case 'greeted': case 'sender-accepted': return formatReply(event.reply);
    case 'introduced': return offers(event.capabilities);
    case 'secured': return `${event.protocol}, ${event.cipher}, certificate of ${printable(event.certificate.subject)}`;
    case 'authenticated': return `${event.mechanism} as ${printable(event.user)}`;
    case 'ready': return [event.secure ? 'encrypted' : 'clear text', ...(event.reused ? ['on the open connection'] : [])].join(', ');
    case 'warning': return `${event.code}: ${event.message}`;
    case 'recipient-accepted': case 'recipient-refused': return `${event.recipient}: ${formatReply(event.reply)}`;
    case 'accepted': return accepted(event.receipt);
  }
};

const plan = (candidate: ConnectionPlan): string => printable(describePlan(candidate));
const endpoint = ({ address, port }: Endpoint): string => hostAndPort({ host: address, port });
const offers = ({ domain, keywords }: Capabilities): string => `${domain} offers ${keywords.join(' ') || 'nothing'}`;
const accepted = ({ reply, bytes, timings }: Receipt): string => `${formatReply(reply)} (${size(bytes)}, ${Math.round(timings.total)} ms)`;
