import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import type { TlsVersion } from '../../../src/index.js';
import { startDaemon } from '../machine/daemon.js';
import { inHome, write } from '../machine/home.js';
import { ANN, DOMAIN, REFUSED_SENDER, USERS } from './accounts.js';
import { EXPIRED, GOOD, UNTRUSTED, WRONG_HOST, type CertificateFiles } from './certificates.js';
import { maildirs, OWNER } from './maildirs.js';
import type { Door, Server } from './server.js';

const FOLDER = inHome('postfix');
const LOG = inHome('postfix', 'mail.log');
const MECHANISMS = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'NTLM', 'PLAIN', 'LOGIN'];

const PORT = 26_025;

/**
 * The port where Dovecot hands on its mail. Senders are refused with their recipients there, which is Postfix's default:
 * Dovecot 2.3 ends with a failed assertion when a relay refuses MAIL and the content is already on its way.
 */
export const RELAY_PORT = 26_024;
const bothWays = (implicit: number): readonly Door[] => [{ port: implicit, security: 'implicit' }, { port: implicit + 100, security: 'starttls' }];

/** Doors of one TLS version each. */
export const VERSION_DOORS: Readonly<Record<TlsVersion, readonly Door[]>> = { 'TLSv1': bothWays(26_110), 'TLSv1.1': bothWays(26_111), 'TLSv1.2': bothWays(26_112), 'TLSv1.3': bothWays(26_113) };

/** Doors with a certificate that must not be taken, each with the reason. */
export const CERTIFICATE_DOORS = [
  { reason: 'expired', files: EXPIRED, doors: bothWays(26_120) },
  { reason: 'host-name', files: WRONG_HOST, doors: bothWays(26_121) },
  { reason: 'untrusted', files: UNTRUSTED, doors: bothWays(26_122) },
] as const;

const main = (mail: string): string => `
compatibility_level = 3.7
config_directory = ${FOLDER}/etc
queue_directory = ${FOLDER}/queue
data_directory = ${FOLDER}/data
meta_directory = /etc/postfix
maillog_file = ${LOG}
maillog_file_prefixes = ${inHome()}
myhostname = mail.${DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
alias_maps =
alias_database =
local_transport = error:5.1.1 no local delivery
default_transport = error:5.4.4 nothing leaves this machine
virtual_mailbox_domains = ${DOMAIN}
virtual_mailbox_base = ${mail}
virtual_mailbox_maps = texthash:${FOLDER}/etc/mailboxes
virtual_mailbox_limit = 0
virtual_uid_maps = static:${OWNER}
virtual_gid_maps = static:${OWNER}
message_size_limit = 10000000
# Content stays as it came.
local_header_rewrite_clients =
always_add_missing_headers = no
message_drop_headers =
smtpd_delay_reject = no
smtpd_sender_restrictions = check_sender_access inline:{ {${REFUSED_SENDER} = 550 5.7.1 this sender is refused} }
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_event_limit_exceptions = $mynetworks
# One bad recipient after the other is what the tests send.
smtpd_hard_error_limit = 1000
smtpd_soft_error_limit = 1000
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${GOOD.cert}
smtpd_tls_key_file = ${GOOD.key}
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = ${FOLDER}/etc/sasl
smtpd_sasl_local_domain = ${DOMAIN}
smtpd_sasl_security_options = noanonymous
`;

const DAEMONS = `
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
`;

const service = ({ port, security }: Pick<Door, 'port' | 'security'>, ...settings: readonly string[]): string => {
  const tls = { none: 'smtpd_tls_security_level=none', starttls: 'smtpd_tls_security_level=encrypt', implicit: 'smtpd_tls_wrappermode=yes' }[security];
  return `127.0.0.1:${port} inet n - n - - smtpd ${[tls, ...settings].map((setting) => `-o ${setting}`).join(' ')}\n`;
};

const SIGNED_IN = ['smtpd_sasl_auth_enable=yes', 'smtpd_relay_restrictions=permit_sasl_authenticated,reject'];

// Debian's OpenSSL does TLS 1.0 and 1.1 at its lowest security level only.
const onlyVersion = (version: string): readonly string[] => [
  `smtpd_tls_protocols=${version}`, `smtpd_tls_mandatory_protocols=${version}`, 'tls_medium_cipherlist=ALL:@SECLEVEL=0', 'smtpd_tls_ciphers=medium', 'smtpd_tls_mandatory_ciphers=medium',
];

const certificate = ({ cert, key }: CertificateFiles): readonly string[] => [`smtpd_tls_cert_file=${cert}`, `smtpd_tls_key_file=${key}`];

const master = (): string => [
  DAEMONS,
  `127.0.0.1:${PORT} inet n - n - - smtpd\n`,
  `127.0.0.1:${RELAY_PORT} inet n - n - - smtpd -o smtpd_delay_reject=yes\n`,
  ...postfix.doors.filter(({ needsAuth }) => needsAuth).map((door) => service(door, ...SIGNED_IN)),
  ...Object.entries(VERSION_DOORS).flatMap(([version, doors]) => doors.map((door) => service(door, ...onlyVersion(version)))),
  ...CERTIFICATE_DOORS.flatMap(({ files, doors }) => doors.map((door) => service(door, ...certificate(files)))),
].join('');

const SASL = `
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: ${FOLDER}/data/sasldb2
mech_list: ${MECHANISMS.join(' ')}
`;

const makeAccounts = (): void => {
  const database = `${FOLDER}/data/sasldb2`;
  execFileSync('saslpasswd2', ['-p', '-c', '-f', database, '-u', DOMAIN, ANN.user], { input: ANN.pass });
  execFileSync('chown', ['postfix', `${FOLDER}/data`, database]);
};

export const postfix: Server = {
  name: 'Postfix',
  packages: ['postfix', 'sasl2-bin', 'libsasl2-modules', 'libsasl2-modules-db'],
  doors: [
    { port: PORT, security: 'none' },
    { port: PORT, security: 'starttls' },
    { port: 26_026, security: 'none', needsAuth: true, mechanisms: MECHANISMS },
    { port: 26_587, security: 'starttls', needsAuth: true, mechanisms: MECHANISMS },
    { port: 26_465, security: 'implicit', needsAuth: true, mechanisms: MECHANISMS },
  ],
  refusesSendersAt: 'mail',
  mailbox: (user) => ({ folder: inHome('mail', 'postfix', user), lineEnd: '\n' }),
  start: () => {
    write('postfix/etc/main.cf', main(maildirs('postfix')));
    write('postfix/etc/master.cf', master());
    write('postfix/etc/mailboxes', USERS.map((user) => `${user}@${DOMAIN} ${user}/\n`).join(''));
    write('postfix/etc/sasl/smtpd.conf', SASL);
    mkdirSync(`${FOLDER}/queue`);
    mkdirSync(`${FOLDER}/data`);
    chownSync(`${FOLDER}/queue`, 0, 0);
    makeAccounts();
    return startDaemon({ name: 'postfix', command: ['postfix', '-c', `${FOLDER}/etc`, 'start-fg'], port: PORT, speaksFirst: true, log: LOG });
  },
};
