import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../README.md', import.meta.url);
const BEGIN = '<!-- tables: written by run.mjs -->';
const END = '<!-- end of tables -->';

/** Puts `text` between the two marks of bench/README.md. */
export function writeTables(text) {
  const page = readFileSync(FILE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest.split(END)[1];
  writeFileSync(FILE, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}
