import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inHome, write } from './home.js';

export interface PrivateUser {
  readonly name: string;
  readonly uid: number;
  /** As /etc/shadow holds it. */
  readonly password?: string;
}

export interface PrivateEtc {
  readonly users?: readonly PrivateUser[];
  /** By their path below /etc. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A copy of /etc with files and users that only one daemon sees; to be laid over /etc. */
export const privateEtc = (name: string, { users = [], files = {} }: PrivateEtc): string => {
  const folder = inHome(name, 'etc');
  cpSync('/etc', folder, { recursive: true, verbatimSymlinks: true });
  for (const user of users) {
    appendFileSync(join(folder, 'passwd'), `${user.name}:x:${user.uid}:${user.uid}::/nonexistent:/usr/sbin/nologin\n`);
    appendFileSync(join(folder, 'group'), `${user.name}:x:${user.uid}:\n`);
    appendFileSync(join(folder, 'shadow'), `${user.name}:${user.password ?? '*'}:20000::::::\n`);
  }
  // A locked account cannot even sign in with a key.
  const shadow = join(folder, 'shadow');
  writeFileSync(shadow, readFileSync(shadow, 'utf8').replace(/^root:![^:]*/m, 'root:*'));
  for (const [path, content] of Object.entries(files)) write(join(name, 'etc', path), content);
  return folder;
};
