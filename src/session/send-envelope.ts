import { defer, map, Observable } from 'rxjs';
import { DATA, RSET, type Command } from '../protocol/command.js';
import type { SmtpError } from '../protocol/error.js';
import { isFarewell, isForeignYes, isPositive, type Reply } from '../protocol/reply.js';
import type { Deadline } from '../transport/clock.js';
import { exchange, exchangeInTurn } from '../wire/exchange.js';
import type { Wire } from '../wire/wire.js';
import type { Claim } from './claim.js';
import type { EnvelopePlan } from './envelope-plan.js';
import { judgeEnvelope, type Verdict } from './judge-envelope.js';

/** MAIL, RCPT and DATA: one group where the server pipelines, else one after the other; all replies, and then a verdict. */
export const sendEnvelope = (claim: Claim, plan: EnvelopePlan, operation: Deadline): Observable<Verdict> => {
  const { wire, pipelines } = claim.session;
  // Where nobody could be told to the server, DATA would be out of order.
  const commands = group(claim, plan, plan.chunks || plan.recipients.length === 0 ? undefined : DATA);
  return collect(pipelines ? exchange(wire, commands, operation) : oneByOne(wire, commands, operation)).pipe(map(({ replies, lost }) => judgeEnvelope(claim, plan, replies, lost)));
};

/** RSET where it is due, MAIL and RCPT, and what goes out behind them. */
export const group = ({ needsReset }: Claim, { commands }: EnvelopePlan, last?: Command): readonly Command[] => {
  const all: Command[] = needsReset ? [RSET] : [];
  commands.forEach((command) => { all.push(command); });
  if (last !== undefined) all.push(last);
  return all;
};

/** Nothing follows a refused RSET or MAIL, or a goodbye; a refused recipient stops nobody else, but DATA waits for one that was taken. */
export const oneByOne = (wire: Wire, commands: readonly Command[], operation: Deadline): Observable<Reply> =>
  defer(() => {
    let hasRecipient = false;
    return exchangeInTurn(wire, commands, operation, (reply, index) => {
      const isOfRecipient = commands[index]?.phase === 'rcpt';
      hasRecipient ||= isOfRecipient && isPositive(reply);
      if (isFarewell(reply) || (!isOfRecipient && (!isPositive(reply) || isForeignYes(reply)))) return false;
      return hasRecipient || commands[index + 1]?.phase !== 'data';
    });
  });

interface Answers {
  readonly replies: readonly Reply[];
  readonly lost: SmtpError | undefined;
}

/** All replies of a group, and the failure that cut it short: a server may say why before it hangs up. */
const collect = (replies$: Observable<Reply>): Observable<Answers> =>
  new Observable((subscriber) => {
    const replies: Reply[] = [];
    const answer = (lost?: SmtpError): void => {
      subscriber.next({ replies, lost });
      subscriber.complete();
    };
    return replies$.subscribe({ next: (reply) => { replies.push(reply); }, error: answer, complete: answer });
  });
