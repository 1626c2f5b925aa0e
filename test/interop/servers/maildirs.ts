import { chownSync, mkdirSync } from 'node:fs';
import { inHome } from '../machine/home.js';

/** `nobody` and `nogroup` of every Debian: whose mail it is. */
export const OWNER = 65534;

/** The folder where a server makes a Maildir for each user. */
export const maildirs = (server: string): string => {
  const folder = inHome('mail', server);
  mkdirSync(folder, { recursive: true });
  chownSync(folder, OWNER, OWNER);
  return folder;
};
