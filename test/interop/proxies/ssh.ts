import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { startDaemon } from '../machine/daemon.js';
import { inHome, write } from '../machine/home.js';
import { privateEtc } from '../machine/private-etc.js';
import type { Proxy } from './proxy.js';

const FOLDER = inHome('ssh');
const SERVER_PORT = 29_022;
const PORT = 29_084;

const SERVER = `
Port ${SERVER_PORT}
ListenAddress 127.0.0.1
HostKey ${FOLDER}/host
PidFile none
AuthorizedKeysFile ${FOLDER}/id.pub
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding local
PermitTTY no
ForceCommand /bin/false
UseDNS no
`;

const CLIENT = ['-F', 'none', '-N', '-D', `127.0.0.1:${PORT}`, '-p', `${SERVER_PORT}`, '-i', `${FOLDER}/id`,
  ...['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=no', 'ExitOnForwardFailure=yes', `UserKnownHostsFile=${FOLDER}/known`].flatMap((option) => ['-o', option])];

/** `ssh -D`, through a server of its own: the one that knows SOCKS 4a. */
export const ssh: Proxy = {
  name: 'ssh -D',
  packages: ['openssh-server', 'openssh-client'],
  ways: [
    { protocol: 'socks4', host: '127.0.0.1', port: PORT },
    { protocol: 'socks4a', host: '127.0.0.1', port: PORT },
    { protocol: 'socks5', host: '127.0.0.1', port: PORT },
  ],
  start: async () => {
    const config = write('ssh/sshd_config', SERVER);
    for (const key of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${FOLDER}/${key}`]);
    mkdirSync(`${FOLDER}/run/sshd`, { recursive: true });
    const mounts = { '/etc': privateEtc('ssh', {}), '/run': `${FOLDER}/run` };
    const server = await startDaemon({ name: 'sshd', command: ['/usr/sbin/sshd', '-D', '-e', '-f', config], mounts, port: SERVER_PORT, speaksFirst: true });
    try {
      const client = await startDaemon({ name: 'ssh-d', command: ['ssh', ...CLIENT, 'root@127.0.0.1'], port: PORT, speaksFirst: false });
      return { stop: async () => { await Promise.all([client.stop(), server.stop()]); } };
    } catch (error) {
      await server.stop();
      throw error;
    }
  },
};
