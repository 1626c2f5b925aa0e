/** Node's permission model (--permission) said no, before anything was asked of the network. */
export const NOT_PERMITTED = 'ERR_ACCESS_DENIED';

const ALLOW_NET = 'Node runs with --permission, which forbids it to use the network: start it with --allow-net as well.';
const NO_DESCRIPTOR = 'There are no file descriptors left: raise the limit ("ulimit -n"), or look for what keeps files and sockets open.';

/** What to change where a code tells that this machine is at fault, whatever it was asked for. */
export const remedyHere = (code: string): string | undefined => {
  if (code === 'EMFILE' || code === 'ENFILE') return NO_DESCRIPTOR;
  return code === NOT_PERMITTED ? ALLOW_NET : undefined;
};
