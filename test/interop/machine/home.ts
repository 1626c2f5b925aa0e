import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const make = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'rxsmtp-interop-'));
  // Servers give up root, and must still find their way in.
  chmodSync(folder, 0o755);
  return folder;
};

/** Everything that the suite writes is below this folder: made by the set-up, inherited by the tests. */
export const HOME = process.env.RXSMTP_INTEROP_HOME ??= make();

export const inHome = (...parts: readonly string[]): string => join(HOME, ...parts);

/** Writes a file below HOME, with the folders above it, and gives its path. */
export const write = (path: string, content: string, mode = 0o644): string => {
  const file = inHome(path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode });
  return file;
};
