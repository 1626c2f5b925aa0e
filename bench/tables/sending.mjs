// The workloads that send mail.
import { isLarge } from '../content.mjs';
import { measure, obstacle } from '../measure.mjs';
import { inRounds, medians } from '../rounds.mjs';
import { number, table, times, verdict } from './format.mjs';

const TARGETS = {
  rate: (at, base, wanted) => [`rate >= ${wanted}x`, at.rate / base.rate >= wanted],
  cpu: (at, base, wanted) => [`CPU <= 1/${wanted}`, base.cpu / at.cpu >= wanted],
  over: (at, _base, wanted) => [`memory <= ${wanted} MB over the start`, at.over <= wanted],
  growth: (at, _base, wanted) => [`memory grows <= ${wanted} MB`, at.growth <= wanted],
};

/** @returns {Promise<{ text: string, failures: string[] }>} */
export async function sending(workload, quick) {
  const error = await obstacle(workload);
  if (error !== undefined) return { text: `${workload.title}\n\nSkipped: ${error}.`, failures: [] };
  const all = Object.keys(workload.contenders);
  const names = quick && !workload.everyone ? all.filter((name) => name === workload.baseline || (workload.contenders[name].adapter ?? name) === 'rxsmtp') : all;
  const { results, failures } = await inRounds(quick ? 1 : workload.rounds ?? 3, names, (name) => measure(workload, name, quick));
  const unit = isLarge(workload.content) ? 'MB' : 'mail';
  const byName = medians(results);
  const base = byName.get(workload.baseline);
  const rows = [...byName].map(([name, at]) => [
    name, number(at.rate), times(at.rate / base?.rate), number(at.cpu), times(base?.cpu / at.cpu), number(at.over), number(at.growth), number(at.waits), number(at.serverCpu),
  ]);
  const verdicts = [...byName].flatMap(([name, at]) => Object.entries(base === undefined ? {} : workload.contenders[name].target ?? {})
    .map(([key, wanted]) => `${name}: ${verdict(...TARGETS[key](at, base, wanted))}`));
  const amount = `${(quick ? workload.quick : workload.full).toLocaleString('en-US')} ${unit === 'MB' ? 'MB' : 'mails'}`;
  const head = ['', `${unit === 'MB' ? 'MB' : 'mails'}/s`, 'rate', `CPU us/${unit}`, 'less CPU', 'RSS over MB', 'growth MB', 'waits/mail', `server us/${unit}`];
  return { text: [`${workload.title}; ${amount}`, '', table([head, ...rows]), '', ...verdicts.map((text) => `- ${text}`)].join('\n').trimEnd(), failures };
}
