import { readPage } from './snippets.js';

/**
 * A page in which what stands between `<!-- NAME` and `<!-- /NAME -->` is replaced. A test compares it with the file:
 * `npm test -- -u` writes the file anew.
 */
export const pageWith = (path: string, name: string, content: string): string => {
  const page = readPage(path);
  const start = page.indexOf('-->\n', page.indexOf(`<!-- ${name}`)) + 4;
  const end = page.indexOf(`<!-- /${name} -->`);
  if (start < 4 || end < start) throw new Error(`${path} has no place for ${name}.`);
  return `${page.slice(0, start)}\n${content.trim()}\n\n${page.slice(end)}`;
};

/** A table in Markdown. */
export const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
