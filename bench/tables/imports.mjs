// What an import costs.
import { withProcesses } from '../process.mjs';
import { inRounds, medians } from '../rounds.mjs';
import { number, table, verdict } from './format.mjs';

const LIMIT_MS = 25;

const IMPORTS = {
  rxjs: ['rxjs'],
  'rxsmtp, beyond rxjs': ['rxjs', 'rxsmtp'],
  nodemailer: ['nodemailer'],
  emailjs: ['emailjs'],
  '@upyo/smtp': ['@upyo/smtp'],
};

/** @returns {Promise<{ text: string, failures: string[] }>} */
export async function imports(quick) {
  const measure = (name) => withProcesses((start) => start('import.mjs', IMPORTS[name]).answer());
  const { results, failures } = await inRounds(quick ? 1 : 15, Object.keys(IMPORTS), measure);
  const byName = medians(results);
  const rows = [...byName].map(([name, { cpu, over }]) => [name, number(cpu), number(over)]);
  const { cpu } = byName.get('rxsmtp, beyond rxjs') ?? {};
  const verdicts = cpu === undefined ? [] : [`- rxsmtp: ${verdict(`<= ${LIMIT_MS} ms beyond rxjs`, cpu <= LIMIT_MS)}`];
  return { text: ['What an import costs', '', table([['', 'CPU ms', 'RSS MB'], ...rows]), '', ...verdicts].join('\n'), failures };
}
