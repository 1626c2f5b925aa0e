import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { startDaemon } from '../machine/daemon.js';
import { inHome, write } from '../machine/home.js';
import { unpack } from '../machine/packages.js';
import { privateEtc } from '../machine/private-etc.js';
import { DOMAIN, REFUSED_SENDER, USERS } from './accounts.js';
import { GOOD } from './certificates.js';
import { maildirs } from './maildirs.js';
import type { Door, Server } from './server.js';

const FOLDER = inHome('opensmtpd');

/** Debian 12's OpenSMTPD says yes to STARTTLS and fails every handshake (it was made for an older OpenSSL). */
export const BROKEN_TLS_DOORS: readonly Door[] = [{ port: 29_026, security: 'starttls' }, { port: 29_465, security: 'implicit' }];

const config = (mail: string): string => `
pki here cert "${GOOD.cert}"
pki here key "${FOLDER}/key"
table users file:${FOLDER}/users
listen on 127.0.0.1 port 29025 hostname opensmtpd.${DOMAIN} tag INTEROP
listen on 127.0.0.1 port 29026 tls pki here hostname opensmtpd.${DOMAIN} tag INTEROP
listen on 127.0.0.1 port 29465 smtps pki here hostname opensmtpd.${DOMAIN} tag INTEROP
action store maildir "${mail}/%{rcpt.user:raw}" user nobody virtual <users>
match tag INTEROP from any mail-from "${REFUSED_SENDER}" for any reject
match tag INTEROP from any for domain "${DOMAIN}" action store
`;

export const opensmtpd: Server = {
  name: 'OpenSMTPD',
  packages: ['libdb5.3', 'libevent-2.1-7'],
  doors: [{ port: 29_025, security: 'none' }],
  // Who may send is looked up with the recipient.
  refusesSendersAt: 'rcpt',
  mailbox: (user) => ({ folder: inHome('mail', 'opensmtpd', user), lineEnd: '\n' }),
  start: async () => {
    const unpacked = await unpack('opensmtpd');
    for (const folder of ['spool/smtpd', 'run', 'lib/opensmtpd/empty']) mkdirSync(`${FOLDER}/${folder}`, { recursive: true });
    chmodSync(`${FOLDER}/spool/smtpd`, 0o711);
    write('opensmtpd/users', USERS.map((user) => `${user}@${DOMAIN}\tnobody\n`).join(''));
    // It takes no key that others may read.
    copyFileSync(GOOD.key, `${FOLDER}/key`);
    chmodSync(`${FOLDER}/key`, 0o600);
    const file = write('opensmtpd/smtpd.conf', config(maildirs('opensmtpd')));
    const etc = privateEtc('opensmtpd', { users: [{ name: 'opensmtpd', uid: 64_102 }, { name: 'opensmtpq', uid: 64_103 }] });
    // All its paths are compiled in.
    const mounts = { '/etc': etc, '/usr/libexec': `${unpacked}/usr/libexec`, '/var/spool': `${FOLDER}/spool`, '/var/lib': `${FOLDER}/lib`, '/run': `${FOLDER}/run` };
    return await startDaemon({ name: 'opensmtpd', command: [`${unpacked}/usr/sbin/smtpd`, '-d', '-f', file], mounts, port: 29_025, speaksFirst: true });
  },
};
