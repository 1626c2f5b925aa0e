// Builds dist: TypeScript checks, compiles, and writes the declarations; esbuild joins what it compiled into a file for each entry.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';
import { skimmable } from './skimmable.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const COMPILED = '.build';

for (const folder of ['dist', COMPILED]) rmSync(join(root, folder), { recursive: true, force: true });

const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.build.json'), {}, ts.sys);
const program = ts.createProgram(fileNames, options);
const { diagnostics } = program.emit(undefined, undefined, undefined, undefined, { after: [skimmable] });
const problems = ts.sortAndDeduplicateDiagnostics([...errors, ...ts.getPreEmitDiagnostics(program), ...diagnostics]);
if (problems.length > 0) {
  console.error(ts.formatDiagnostics(problems, { ...ts.sys, getCurrentDirectory: () => root, getCanonicalFileName: (name) => name, getNewLine: () => '\n' }));
  process.exit(1);
}

const bundle = (entries, more) => build({
  absWorkingDir: root,
  entryPoints: entries.map((name) => `${COMPILED}/${name}.js`),
  outbase: COMPILED,
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  ...more,
});
// What these share is in a chunk: a class is the same one whichever entry it came from.
await bundle(['index', 'config/index', 'testing/index'], { splitting: true, chunkNames: 'shared-[hash]' });
// An application, which nobody imports: with a copy of all that it uses it starts sooner, and splits nothing that is imported.
await bundle(['cli/main']);
rmSync(join(root, COMPILED), { recursive: true });
