import { catchError, ignoreElements, map, merge, of, toArray } from 'rxjs';
import { SmtpClient, type ConnectEvent, type ConnectionPlan, type SmtpOptions } from '../index.js';
import { describePlan } from '../protocol/connection-plan.js';
import { flags } from './arguments.js';
import { dialogue } from './dialogue.js';
import { endedBy, interrupted, tellFirst, type Ending } from './ending.js';
import { EXIT_CODES } from './exit-codes.js';
import { explainSignIn } from './explain-sign-in.js';
import { tell, writeLine, type CliCommand } from './io.js';
import { pin, signIn } from './pin.js';
import { printEvents } from './print-event.js';
import { configured, SERVER_FLAGS, SERVER_HELP, serverOptions } from './server.js';

const HELP = `rxsmtp verify --server URL [flags]: connect, secure, sign in, and leave without a mail

${SERVER_HELP}

At the end it prints the settings to pin: with them, every connection is made the right way at once.`;

/** Shows the plan, each step of it with its time, and how the server would be signed in to. */
export const verify: CliCommand = async (argv, io) => {
  const values = flags(argv, SERVER_FLAGS);
  if (values.help === true) return tell(io, HELP);
  const options = await serverOptions(values, await configured(values, io), io);
  await using client = new SmtpClient(options);
  client.plans.forEach((plan, index) => { writeLine(io.stdout, `${index === 0 ? 'plan:' : 'then:'} ${describePlan(plan)}`); });
  return await tellFirst(merge(
    dialogue(client, values, io).pipe(ignoreElements()),
    io.interrupted$.pipe(map(() => interrupted(false, 'The server was not tried to the end.'))),
    client.verify().pipe(printEvents(io.stdout), explainSignIn(io.stdout, options), toArray(), map((events) => verified(events, client.plans, options)), catchError((error: unknown) => of(endedBy(error, 'The server could not be used as it is configured.')))),
  ), io);
};

const verified = (events: readonly ConnectEvent[], plans: readonly ConnectionPlan[], options: SmtpOptions): Ending => ({
  code: EXIT_CODES.accepted,
  text: ['The server can be used as it is configured.', signIn(events), ...pin(events, plans, options)].join('\n'),
});
