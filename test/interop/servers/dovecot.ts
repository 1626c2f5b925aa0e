import { mkdirSync } from 'node:fs';
import { startDaemon } from '../machine/daemon.js';
import { inHome, write } from '../machine/home.js';
import { ANN, TOKEN_ISSUER, TOKEN_KEY } from './accounts.js';
import { CLIENT_AUTHORITY, GOOD } from './certificates.js';
import { maildirs, OWNER } from './maildirs.js';
import { postfix, RELAY_PORT } from './postfix.js';
import type { Server } from './server.js';

const FOLDER = inHome('dovecot');
const PASSWORD = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'];
const MECHANISMS = [...PASSWORD, 'XOAUTH2', 'OAUTHBEARER'];

const config = (mail: string): string => `
base_dir = ${FOLDER}/run
state_dir = ${FOLDER}/state
log_path = ${FOLDER}/log
protocols = submission
listen = 127.0.0.1
hostname = submission.interop.test
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_max_userip_connections = 1000
auth_mechanisms = ${[...MECHANISMS, 'EXTERNAL'].join(' ').toLowerCase()}
auth_ssl_username_from_cert = yes
ssl_cert_username_field = commonName
auth_failure_delay = 0
ssl = yes
ssl_cert = <${GOOD.cert}
ssl_key = <${GOOD.key}
ssl_ca = <${CLIENT_AUTHORITY}
ssl_verify_client_cert = yes
ssl_require_crl = no
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${FOLDER}/oauth2.conf
}
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y
}
passdb {
  driver = passwd-file
  mechanisms = ${PASSWORD.join(' ').toLowerCase()}
  args = username_format=%u ${FOLDER}/users
}
userdb {
  driver = static
  args = uid=${OWNER} gid=${OWNER} home=${mail}/%n allow_all_users=yes
}
# A wrong password does not make the next one wait.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    port = 28587
  }
  inet_listener submissions {
    port = 28465
    ssl = yes
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = ${RELAY_PORT}
submission_max_mail_size = 10M
`;

// Tokens are judged by their signature: there is no server to ask.
const OAUTH = `
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=${FOLDER}/keys/
username_attribute = username
issuers = ${TOKEN_ISSUER}
openid_configuration_url = ${TOKEN_ISSUER}/.well-known/openid-configuration
`;

/** Signs its users in and hands their mail on to Postfix. */
export const dovecot: Server = {
  name: 'Dovecot',
  packages: ['dovecot-core', 'dovecot-submissiond'],
  doors: [
    { port: 28_587, security: 'none', needsAuth: true, mechanisms: MECHANISMS },
    { port: 28_587, security: 'starttls', needsAuth: true, mechanisms: [...MECHANISMS, 'EXTERNAL'] },
    { port: 28_465, security: 'implicit', needsAuth: true, mechanisms: [...MECHANISMS, 'EXTERNAL'] },
  ],
  refusesSendersAt: 'rcpt',
  mailbox: (user) => postfix.mailbox(user),
  start: () => {
    for (const folder of ['run', 'state']) mkdirSync(`${FOLDER}/${folder}`, { recursive: true });
    write('dovecot/users', `${ANN.user}:{PLAIN}${ANN.pass}::::::\n`);
    write('dovecot/oauth2.conf', OAUTH);
    write('dovecot/keys/default/HS256/default', Buffer.from(TOKEN_KEY).toString('base64'));
    const file = write('dovecot/dovecot.conf', config(maildirs('dovecot')));
    return startDaemon({ name: 'dovecot', command: ['dovecot', '-F', '-c', file], port: 28_587, speaksFirst: true, log: `${FOLDER}/log` });
  },
};
