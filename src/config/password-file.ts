import { readFileSync } from 'node:fs';
import { usage } from '../message/fields.js';

/** The password in a file, without the line end that editors leave behind it. `setting` is who names the file, for errors. */
export const readPasswordFile = (path: string, setting: string): string => {
  const password = read(path, setting).replace(/\r?\n$/, '');
  if (password === '') throw usage(`The file that the ${setting} names is empty.`);
  return password;
};

const read = (path: string, setting: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw usage(`The file that the ${setting} names cannot be read${code === undefined ? '' : ` (${code})`}.`);
  }
};
