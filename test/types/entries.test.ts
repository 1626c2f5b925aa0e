import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

const manifest = readFileSync('package.json', 'utf8');
const { exports: entries } = JSON.parse(manifest) as { readonly exports: Readonly<Record<string, string | { readonly types: string }>> };
const typed = Object.entries(entries).flatMap(([entry, target]) => (typeof target === 'string' ? [] : [[entry, target.types] as const]));

const PACKAGE = '/app/node_modules/rxsmtp';
const host: ts.ModuleResolutionHost = {
  fileExists: (path) => path === `${PACKAGE}/package.json` || path.startsWith(`${PACKAGE}/dist/`),
  readFile: () => manifest,
};

/** Where the compiler of a project that has installed the package finds the types of an entry. */
const typesOf = (entry: string, moduleResolution: string): string | undefined => {
  const { options } = ts.convertCompilerOptionsFromJson({ moduleResolution }, '/app');
  return ts.resolveModuleName(entry.replace('.', 'rxsmtp'), '/app/main.ts', options, host).resolvedModule?.resolvedFileName;
};

test.each(typed)('the types of %s are found in every way in which TypeScript looks for them', (entry, types) => {
  const ways = ['node10', 'node16', 'nodenext', 'bundler'].map((way) => [way, typesOf(entry, way)]);
  expect(ways).toEqual(ways.map(([way]) => [way, types.replace('.', PACKAGE)]));
});
