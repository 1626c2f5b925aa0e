// Usage: npm run bench [-- --quick] [-- WORKLOAD...]
// Prints ratios beside the peers; a full run of everything also writes README.md's tables. Only a mail that did not
// arrive right fails the run: times never do.
import { cpus } from 'node:os';
import { doors } from './tables/doors.mjs';
import { imports } from './tables/imports.mjs';
import { sending } from './tables/sending.mjs';
import { writeTables } from './tables/readme.mjs';
import { WORKLOADS } from './workloads.mjs';

const quick = process.argv.includes('--quick');
const TABLES = {
  ...Object.fromEntries(Object.entries(WORKLOADS)
    .filter(([, workload]) => !quick || workload.quick !== undefined)
    .map(([name, workload]) => [name, () => sending(workload, quick)])),
  doors: () => doors(quick),
  imports: () => imports(quick),
};

const named = process.argv.slice(2).filter((argument) => argument !== '--quick');
const unknown = named.filter((name) => !Object.hasOwn(TABLES, name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. ${quick ? 'A quick run has' : 'There are'}: ${Object.keys(TABLES).join(', ')}.`);
  process.exit(2);
}

const processors = cpus();
const machine = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${processors.length} x ${processors[0]?.model ?? 'unknown processor'}, loopback`;
console.log(machine);

const sections = [];
for (const name of named.length > 0 ? named : Object.keys(TABLES)) {
  const { text, failures } = await TABLES[name]();
  const section = [`### ${name}`, '', text, ...failures.map((failure) => `- FAILED: ${failure}`)].join('\n');
  console.log(`\n${section}`);
  sections.push(section);
  if (failures.length > 0) process.exitCode = 1;
}
if (!quick && named.length === 0 && process.exitCode !== 1) writeTables([machine, ...sections].join('\n\n'));
