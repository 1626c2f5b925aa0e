import { startDaemon } from '../machine/daemon.js';
import { PROXY_USER, type Proxy } from './proxy.js';

const PORT = 29_081;

export const microsocks: Proxy = {
  name: 'microsocks',
  packages: ['microsocks'],
  ways: [{ protocol: 'socks5', host: '127.0.0.1', port: PORT, ...PROXY_USER }],
  start: () => startDaemon({ name: 'microsocks', command: ['microsocks', '-i', '127.0.0.1', '-p', `${PORT}`, '-u', PROXY_USER.user, '-P', PROXY_USER.pass], port: PORT, speaksFirst: false }),
};
