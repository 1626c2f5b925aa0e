// Installs and builds only what is missing or out of date. Usage: node scripts/ready.mjs [build]
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** When the file was last changed; 0 when there is none. */
const changed = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

const newestIn = (folder) =>
  Math.max(0, ...readdirSync(join(root, folder), { recursive: true }).map((name) => changed(join(folder, name))));

function npm(why, ...args) {
  console.error(`${why}: npm ${args.join(' ')}`);
  const { status, error, stdout } = spawnSync('npm', args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  console.error(error?.message ?? stdout.toString().trimEnd());
  process.exit(status ?? 1);
}

const installed = changed('node_modules/.package-lock.json');
// Without what only development needs, an install is none: NODE_ENV=production leaves that out.
if (installed === 0 || installed < changed('package-lock.json') || changed('node_modules/vitest') === 0) {
  npm('Installing dependencies', 'ci', '--include=dev', '--no-audit', '--no-fund');
}

if (process.argv[2] === 'build') {
  // It is written last.
  const built = changed('dist/cli/main.js');
  if (built === 0 || built < newestIn('src')) npm('Building', 'run', '--silent', 'build');
}
