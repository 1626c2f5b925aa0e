import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Where they are. */
export const folder = mkdtempSync(join(tmpdir(), 'rxsmtp-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

/** Writes a file that is gone after the tests of this file, and gives its path. */
export const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
