import { dovecot } from './dovecot.js';
import { exim } from './exim.js';
import { opensmtpd } from './opensmtpd.js';
import { postfix } from './postfix.js';
import type { Server } from './server.js';

export const SERVERS: readonly Server[] = [postfix, exim, dovecot, opensmtpd];
