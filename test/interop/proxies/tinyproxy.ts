import { startDaemon } from '../machine/daemon.js';
import { write } from '../machine/home.js';
import { PROXY_USER, type Proxy } from './proxy.js';

const tinyproxy = (name: string, port: number, user?: typeof PROXY_USER): Proxy => ({
  name,
  packages: ['tinyproxy-bin'],
  ways: [{ protocol: 'http', host: '127.0.0.1', port, ...user }],
  start: () => {
    const file = write(`tinyproxy/${port}.conf`, [
      'User nobody', 'Group nogroup', `Port ${port}`, 'Listen 127.0.0.1', 'Timeout 600', 'MaxClients 50', 'Allow 127.0.0.0/8', 'LogLevel Warning',
      ...user === undefined ? [] : [`BasicAuth ${user.user} ${user.pass}`],
    ].join('\n'));
    return startDaemon({ name: `tinyproxy-${port}`, command: ['tinyproxy', '-d', '-c', file], port, speaksFirst: false });
  },
});

export const tinyproxyOpen = tinyproxy('tinyproxy', 29_128);
export const tinyproxyPassword = tinyproxy('tinyproxy with a password', 29_129, PROXY_USER);
