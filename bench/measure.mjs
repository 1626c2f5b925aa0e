// One contender, one workload, one round: a server, perhaps a delay, and the client, each a new process.
import { isLarge } from './content.mjs';
import { withProcesses } from './process.mjs';

const MB = 2 ** 20;

const open = (start, { server = 'sink', offer, job }) => start(`server/${server}.mjs`, { offer, auth: job?.auth });

/** Why it cannot run here; `undefined` where it can. */
export async function obstacle(workload) {
  const { error } = await withProcesses((start) => open(start, workload).answer(), workload.oneCore).catch(({ message }) => ({ error: message }));
  return error;
}

/** @returns what one unit (a mail, or a MB of a large one) cost; throws unless every mail arrived right and once */
export async function measure(workload, name, quick) {
  const { adapter = name, share = 1, job } = workload.contenders[name];
  const amount = Math.max(1, Math.round((quick ? workload.quick : workload.full) * share));
  const large = isLarge(workload.content);
  const warmUp = quick ? 0 : workload.warmUp ?? 0;
  const mails = large ? 1 : warmUp + amount;
  const content = { ...workload.content, ...(large && { bytes: amount * MB }) };
  return withProcesses(async (start) => {
    const server = open(start, workload);
    const client = start('client.mjs', { adapter, content }, quick ? 60_000 : 900_000);
    const delay = workload.roundTrip === undefined ? undefined : start('server/delay.mjs', { oneWay: workload.roundTrip / 2 });
    const { port, error } = await server.answer();
    if (error !== undefined) throw new Error(error);
    const door = delay === undefined ? port : (await delay.ask({ port })).port;
    const { seconds, cpu, over, growth } = await client.ask({ port: door, mails, warmUp, connections: 1, ...workload.job, ...job });
    const { faults, waits, cpu: serverCpu } = await server.ask({ mails, content });
    if (faults.length > 0) throw new Error(faults.join('; '));
    return { rate: amount / seconds, cpu: cpu / amount, over, growth, waits: waits / mails, serverCpu: serverCpu / (warmUp + amount) };
  }, workload.oneCore);
}
