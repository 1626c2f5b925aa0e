import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { startDaemon } from '../machine/daemon.js';
import { inHome, write } from '../machine/home.js';
import { GOOD, TRUSTED } from '../servers/certificates.js';
import { PROXY_USER, type Proxy } from './proxy.js';

const FOLDER = inHome('squid');
const PORT = 29_130;
const TLS_PORT = 29_131;

const CONFIG = `
http_port 127.0.0.1:${PORT}
https_port 127.0.0.1:${TLS_PORT} tls-cert=${GOOD.cert} tls-key=${GOOD.key}
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${FOLDER}/users
auth_param basic realm interop
auth_param basic children 2
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_mem 8 MB
memory_pools off
cache_log ${FOLDER}/log/cache.log
access_log none
pid_filename none
coredump_dir ${FOLDER}
visible_hostname squid.interop.test
pinger_enable off
dns_nameservers 127.0.0.1
netdb_filename none
max_filedescriptors 1024
`;

/** Asks who comes; also behind TLS of its own. */
export const squid: Proxy = {
  name: 'squid',
  packages: ['squid-openssl', 'openssl'],
  ways: [
    { protocol: 'http', host: '127.0.0.1', port: PORT, ...PROXY_USER },
    { protocol: 'https', host: 'localhost', port: TLS_PORT, ...PROXY_USER, tls: { ca: TRUSTED } },
  ],
  start: () => {
    const password = execFileSync('openssl', ['passwd', '-apr1', '-stdin'], { input: PROXY_USER.pass, encoding: 'utf8' }).trim();
    write('squid/users', `${PROXY_USER.user}:${password}\n`);
    const file = write('squid/squid.conf', CONFIG);
    mkdirSync(`${FOLDER}/log`);
    execFileSync('chown', ['proxy', `${FOLDER}/log`]);
    return startDaemon({ name: 'squid', command: ['squid', '-N', '-f', file], port: PORT, speaksFirst: false, log: `${FOLDER}/log/cache.log` });
  },
};
