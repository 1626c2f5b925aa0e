import { SmtpClient, type SmtpOptions } from '../../src/index.js';
import type { TestServer } from '../../src/testing/index.js';

/** A small mail, where it does not matter what is in it. */
export const MAIL = { envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: 'Subject: hello\r\n\r\nHi\r\n' };

/** A client in clear text that leaves in a moment. */
export const clientOf = ({ host, port }: Pick<TestServer, 'host' | 'port'>, options: Partial<SmtpOptions> = {}): SmtpClient =>
  new SmtpClient({ host, port, security: ['none'], timeouts: { quit: 100 }, ...options });
