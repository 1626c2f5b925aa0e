import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { startDaemon } from '../machine/daemon.js';
import { inHome, write } from '../machine/home.js';
import { unpack } from '../machine/packages.js';
import { privateEtc } from '../machine/private-etc.js';
import { ANN, DOMAIN, REFUSED_SENDER, USERS } from './accounts.js';
import { CLIENT_AUTHORITY, GOOD } from './certificates.js';
import { maildirs } from './maildirs.js';
import type { Server } from './server.js';

const FOLDER = inHome('exim');
const UID = 64_101;
const PASSWORD = ['PLAIN', 'LOGIN', 'CRAM-MD5'];

const config = (program: string, mail: string): string => `
exim_path = ${program}
spool_directory = ${FOLDER}/spool
log_file_path = ${FOLDER}/log/%slog
pid_file_path = ${FOLDER}/exim.pid
primary_hostname = exim.${DOMAIN}
local_interfaces = <; 127.0.0.1.27025 ; 127.0.0.1.27465
tls_on_connect_ports = 27465
keep_environment =
host_lookup =
rfc1413_hosts =
# Every mail is delivered at once, however many one connection brings.
smtp_accept_queue_per_connection = 0
accept_8bitmime = true
prdr_enable = true
pipelining_advertise_hosts = *
pipelining_connect_advertise_hosts = *
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = ${GOOD.cert}
tls_privatekey = ${GOOD.key}
tls_verify_certificates = ${CLIENT_AUTHORITY}
tls_try_verify_hosts = *
auth_advertise_hosts = *
# Content stays as it came.
received_header_text =
return_path_remove = false
acl_smtp_mail = check_sender
acl_smtp_rcpt = check_recipient
acl_smtp_data = accept

begin acl
check_sender:
  deny senders = ${REFUSED_SENDER}
       message = 5.7.1 this sender is refused
  accept
check_recipient:
  accept domains = ${DOMAIN}
         verify = recipient
  deny message = 5.7.1 nothing is relayed

begin routers
users:
  driver = accept
  domains = ${DOMAIN}
  local_parts = lsearch;${FOLDER}/users
  address_data = $local_part_data
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = ${mail}/$address_data
  maildir_format
  create_directory
  use_crlf
  return_path_add
  user = nobody
  group = nogroup

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{$auth3}{\${lookup{$auth2}lsearch{${FOLDER}/passwords}{$value}{*:}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = \${if eq{$auth2}{\${lookup{$auth1}lsearch{${FOLDER}/passwords}{$value}{*:}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${lookup{$auth1}lsearch{${FOLDER}/passwords}{$value}fail}
  server_set_id = $auth1
external:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = $tls_in_certificate_verified
  server_param2 = \${certextract{subject,CN}{$tls_in_peercert}}
  server_condition = \${if or{{eq{$auth1}{}}{eq{$auth1}{$auth2}}}}
  server_set_id = $auth2
`;

export const exim: Server = {
  name: 'Exim',
  // What its daemon is linked with.
  packages: ['libdb5.3', 'libgnutls-dane0', 'libidn12', 'libnsl2'],
  doors: [
    { port: 27_025, security: 'none', mechanisms: PASSWORD },
    { port: 27_025, security: 'starttls', mechanisms: [...PASSWORD, 'EXTERNAL'] },
    { port: 27_465, security: 'implicit', mechanisms: [...PASSWORD, 'EXTERNAL'] },
  ],
  refusesSendersAt: 'mail',
  mailbox: (user) => ({ folder: inHome('mail', 'exim', user), lineEnd: '\r\n' }),
  start: async () => {
    const program = `${await unpack('exim4-daemon-light')}/usr/sbin/exim4`;
    write('exim/users', USERS.map((user) => `${user}: ${user}\n`).join(''));
    write('exim/passwords', `${ANN.user}: ${ANN.pass}\n`);
    for (const folder of ['spool', 'log']) mkdirSync(`${FOLDER}/${folder}`, { recursive: true });
    // Given another configuration than its own, it would lose the right to deliver.
    const etc = privateEtc('exim', { users: [{ name: 'Debian-exim', uid: UID }], files: { 'exim4/exim4.conf': config(program, maildirs('exim')) } });
    const owner = execFileSync('sh', ['-c', 'id -u Debian-exim 2>/dev/null || true'], { encoding: 'utf8' }).trim() || String(UID);
    execFileSync('chown', ['-R', owner, `${FOLDER}/spool`, `${FOLDER}/log`]);
    return await startDaemon({ name: 'exim', command: [program, '-bdf'], mounts: { '/etc': etc }, port: 27_025, speaksFirst: true, log: `${FOLDER}/log/mainlog` });
  },
};
