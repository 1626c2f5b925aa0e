import fs from 'node:fs';
import { devNull } from 'node:os';
import { codeOf } from '../protocol/error.js';

/** Node's permission model (--permission) said no, before anything was asked of the network. */
export const NOT_PERMITTED = 'ERR_ACCESS_DENIED';

const ALLOW_NET = 'Node runs with --permission, which forbids it to use the network: start it with --allow-net as well.';
const NO_DESCRIPTOR = 'There are no file descriptors left: raise the limit ("ulimit -n"), or look for what keeps files and sockets open.';

const NO_MEMORY = 'This machine has no memory left for sockets: look for what uses it up, or try again later.';

/** What to change where a code tells that this machine is at fault, whatever it was asked for. */
export const remedyHere = (code: string): string | undefined => {
  if (code === 'EMFILE' || code === 'ENFILE') return NO_DESCRIPTOR;
  if (code === 'ENOMEM' || code === 'ENOBUFS') return NO_MEMORY;
  return code === NOT_PERMITTED ? ALLOW_NET : undefined;
};

/** The code of a shortage: not one more file can be opened now. */
export const shortage = (): string | undefined => {
  try {
    fs.closeSync(fs.openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === 'EMFILE' || code === 'ENFILE' ? code : undefined;
  }
};
