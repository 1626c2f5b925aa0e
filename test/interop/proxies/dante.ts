import { execFileSync } from 'node:child_process';
import { startDaemon } from '../machine/daemon.js';
import { write } from '../machine/home.js';
import { privateEtc } from '../machine/private-etc.js';
import { PROXY_USER, type Proxy } from './proxy.js';

const OPEN = 29_082;
const ASKS = 29_083;

const config = (port: number, method: 'none' | 'username', protocols: string): string => `
logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: lo
clientmethod: none
socksmethod: ${method}
user.privileged: root
user.notprivileged: nobody
client pass {
  from: 127.0.0.0/8 to: 0.0.0.0/0
}
socks pass {
  from: 127.0.0.0/8 to: 0.0.0.0/0
  command: connect
  proxyprotocol: ${protocols}
  socksmethod: ${method}
}
`;

export const danteOpen: Proxy = {
  name: 'Dante',
  packages: ['dante-server'],
  ways: [{ protocol: 'socks4', host: '127.0.0.1', port: OPEN }, { protocol: 'socks5', host: '127.0.0.1', port: OPEN }],
  start: () => {
    const file = write('dante/open.conf', config(OPEN, 'none', 'socks_v4 socks_v5'));
    return startDaemon({ name: 'dante', command: ['danted', '-f', file, '-p', `${file}.pid`], port: OPEN, speaksFirst: false });
  },
};

export const dantePassword: Proxy = {
  name: 'Dante with passwords',
  packages: ['dante-server', 'openssl'],
  ways: [{ protocol: 'socks5', host: '127.0.0.1', port: ASKS, ...PROXY_USER }],
  start: () => {
    const file = write('dante/password.conf', config(ASKS, 'username', 'socks_v5'));
    // Its users are those of the system.
    const password = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: PROXY_USER.pass, encoding: 'utf8' }).trim();
    const etc = privateEtc('dante', { users: [{ name: PROXY_USER.user, uid: 64_104, password }] });
    return startDaemon({ name: 'dante-password', command: ['danted', '-f', file, '-p', `${file}.pid`], mounts: { '/etc': etc }, port: ASKS, speaksFirst: false });
  },
};
