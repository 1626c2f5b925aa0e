// One contender, one workload, one round: a server, perhaps a delay, and the client, each a new process.
import { withProcesses } from './process.mjs';

const MB = 2 ** 20;

/** @returns what one unit (a mail, or a MB of a large one) cost; throws unless every mail arrived right and once */
export async function measure(workload, name, quick) {
  const { adapter = name, share = 1, job } = workload.contenders[name];
  const amount = Math.max(1, Math.round((quick ? workload.quick : workload.full) * share));
  const large = workload.content?.kind !== undefined;
  const mails = large ? 1 : amount;
  const content = { ...workload.content, ...(large && { bytes: amount * MB }) };
  return withProcesses(async (start) => {
    const sink = start('server/sink.mjs', { offer: workload.offer, auth: workload.job?.auth });
    const client = start('client.mjs', { adapter, content }, quick ? 60_000 : 900_000);
    const delay = workload.roundTrip === undefined ? undefined : start('server/delay.mjs', { oneWay: workload.roundTrip / 2 });
    const { port } = await sink.answer();
    const door = delay === undefined ? port : (await delay.ask({ port })).port;
    const { seconds, cpu, over, growth } = await client.ask({ port: door, mails, connections: 1, ...workload.job, ...job });
    const { faults, waits, cpu: serverCpu } = await sink.ask({ mails, content });
    if (faults.length > 0) throw new Error(faults.join('; '));
    return { rate: amount / seconds, cpu: cpu / amount, over, growth, waits: waits / mails, serverCpu: serverCpu / amount };
  });
}
