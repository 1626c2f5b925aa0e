import { readFileSync } from 'node:fs';
import { usage } from '../message/fields.js';

/** The password in a file of UTF-8, without what editors put around it: a byte order mark, a line end. `setting` is who names the file, for errors. */
export const readPasswordFile = (path: string, setting: string): string => {
  const password = read(path, setting).replace(/\r?\n$/, '');
  if (password === '') throw usage(`The file that the ${setting} names is empty.`);
  return password;
};

const read = (path: string, setting: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw usage(`The file that the ${setting} names ${code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not valid UTF-8' : `cannot be read${code === undefined ? '' : ` (${code})`}`}.`);
  }
};
