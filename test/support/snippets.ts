import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { vi } from 'vitest';

const root = new URL('../../', import.meta.url);

/** A page of this repository, by its path from the root. */
export const readPage = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The blocks of a page that are written in TypeScript, without their fences. */
export const snippetsOf = (page: string): readonly string[] =>
  Array.from(page.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => code);

/** What a snippet says that it prints, a line for each `// =>`. */
export const promisedOutput = (snippet: string): readonly string[] =>
  Array.from(snippet.matchAll(/\/\/ => (.*)$/gm), ([, line = '']) => line);

/** A folder for modules that exist while a test runs; git ignores it. */
export class SnippetFolder implements Disposable {
  readonly #folder: URL;

  constructor(name: string) {
    this.#folder = new URL(`test/.snippets/${name}/`, root);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** @returns the path of the module. */
  write(name: string, code: string): string {
    const file = new URL(`${name}.ts`, this.#folder);
    writeFileSync(file, code);
    return fileURLToPath(file);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs a module to its end. @returns what it printed, a line each. */
export const linesPrintedBy = async (path: string): Promise<readonly string[]> => {
  const lines: string[] = [];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => { lines.push(...format(...values).split('\n')); }),
    vi.spyOn(process.stdout, 'write').mockReturnValue(true),
  ];
  try {
    await import(/* @vite-ignore */ pathToFileURL(path).href);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return withoutRepeats(lines);
};

/** Progress is told as often as the machine is slow: a line that comes twice in a row counts once. */
const withoutRepeats = (lines: readonly string[]): readonly string[] => lines.filter((line, index) => line !== lines[index - 1]);
