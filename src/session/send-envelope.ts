import { concatMap, map, Observable, of } from 'rxjs';
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
  const last = plan.chunks || plan.recipients.length === 0 ? undefined : DATA;
  const answers$ = pipelines ? collect(exchange(wire, group(claim, plan, last), operation)) : oneByOne(wire, group(claim, plan), operation, last);
  return answers$.pipe(map(({ replies, lost }) => judgeEnvelope(claim, plan, replies, lost)));
};

/** RSET where it is due, MAIL and RCPT, and what goes out behind them. */
export const group = ({ needsReset }: Claim, { commands }: EnvelopePlan, last?: Command): readonly Command[] => {
  const all: Command[] = needsReset ? [RSET] : [];
  commands.forEach((command) => { all.push(command); });
  if (last !== undefined) all.push(last);
  return all;
};

interface Answers {
  readonly replies: readonly Reply[];
  readonly lost: SmtpError | undefined;
}

/** Nothing follows a refused RSET or MAIL; a refused recipient stops nobody else, unless the server says goodbye. */
const oneByOne = (wire: Wire, commands: readonly Command[], operation: Deadline, last: Command | undefined): Observable<Answers> => {
  const mailAt = commands.findIndex(({ phase }) => phase === 'mail');
  const goOn = (reply: Reply, index: number): boolean => !isFarewell(reply) && (index > mailAt || (isPositive(reply) && !isForeignYes(reply)));
  return collect(exchangeInTurn(wire, commands, operation, goOn)).pipe(
    concatMap((answers) => {
      const { replies, lost } = answers;
      const accepted = replies.slice(mailAt + 1).some(isPositive);
      return last === undefined || !accepted || lost !== undefined || replies.some(isFarewell)
        ? of(answers)
        : collect(exchange(wire, [last], operation)).pipe(map((data): Answers => ({ replies: [...replies, ...data.replies], lost: data.lost })));
    }),
  );
};

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
