// Compiles examples/*.ts into .examples/ and runs each one against dist, as an application would.
// Usage: node scripts/run-examples.mjs [NAME...]; those that are named show what they print.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 60_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv.slice(2).map((name) => name.replace(/^examples\/|\.ts$/g, ''));
const names = existsSync(join(root, 'examples'))
  ? readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts') && (wanted.length === 0 || wanted.includes(name.slice(0, -3)))).sort()
  : [];
if (names.length === 0) {
  console.log(wanted.length === 0 ? 'No examples.' : `No such example: ${wanted.join(', ')}`);
  process.exit(wanted.length === 0 ? 0 : 1);
}

const node = (args, options) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', ...options });

rmSync(join(root, '.examples'), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const compiled = node([tsc, '-p', 'tsconfig.examples.json'], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

let failures = 0;
for (const name of names) {
  const run = node([join('.examples', name.replace(/ts$/, 'js'))], {
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ok = run.status === 0;
  console.log(`${ok ? 'OK    ' : 'FAILED'}  ${name}`);
  if (ok && wanted.length > 0) console.log(run.stdout.trimEnd());
  if (ok) continue;
  failures += 1;
  console.log(run.error?.code === 'ETIMEDOUT' ? `took longer than ${LIMIT_MS / 1000} s` : `exit ${run.status ?? run.signal}`);
  console.log(`${run.stdout}${run.stderr}`.trimEnd());
}
process.exit(failures === 0 ? 0 : 1);
