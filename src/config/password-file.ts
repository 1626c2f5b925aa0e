import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { usage } from '../message/fields.js';

// Bytes: more than any password or token has.
const MOST = 64 * 1024;

/** The password in a file of UTF-8, without what editors put around it: a byte order mark, a line end. `setting` is who names the file, for errors. */
export const readPasswordFile = (path: string, setting: string): string => {
  const bytes = read(path, setting);
  if (bytes.length > MOST) throw usage(`The file that the ${setting} names is longer than ${String(MOST / 1024)} KiB.`);
  if (!isUtf8(bytes)) throw usage(`The file that the ${setting} names is not valid UTF-8.`);
  const password = new TextDecoder().decode(bytes).replace(/\r?\n$/, '');
  if (password === '') throw usage(`The file that the ${setting} names is empty.`);
  return password;
};

const read = (path: string, setting: string): Buffer => {
  try {
    return beginningOf(path, MOST + 1);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw usage(`The file that the ${setting} names cannot be read${code === undefined ? '' : ` (${code})`}.`);
  }
};

/** So much of it: a pipe or a device does not tell how long it is. */
const beginningOf = (path: string, length: number): Buffer => {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    let size = 0;
    for (let read = -1; read !== 0; size += read) read = readSync(file, bytes, size, length - size, null);
    return bytes.subarray(0, size);
  } finally {
    closeSync(file);
  }
};
