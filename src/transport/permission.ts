/** Node's permission model (--permission) said no, before anything was asked of the network. */
export const NOT_PERMITTED = 'ERR_ACCESS_DENIED';

export const ALLOW_NET = 'Node runs with --permission, which forbids it to use the network: start it with --allow-net as well.';
