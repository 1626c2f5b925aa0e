import { SmtpClient, type SmtpOptions } from '../../src/index.js';
import { startServer, type ServerOptions, type SignIn, type TestServer } from '../../src/testing/index.js';
import { collect, type Told } from './collect.js';

export const clientOf = (server: TestServer, options: Partial<SmtpOptions>): SmtpClient =>
  new SmtpClient({ host: 'localhost', port: server.port, security: ['none'], tls: { ca: server.ca }, timeouts: { quit: 1_000 }, ...options });

export const verify = async (server: TestServer, options: Partial<SmtpOptions>): Promise<Told> => {
  await using client = clientOf(server, options);
  return await collect(client.verify());
};

/** What the client said from AUTH on. QUIT may still be on its way, and does not count. */
export const said = ({ sessions }: TestServer, session = 0): readonly string[] => {
  const lines = sessions[session]!.lines.filter((line) => line.startsWith('C: ') && line !== 'C: QUIT').map((line) => line.slice(3));
  return lines.slice(lines.findIndex((line) => line.startsWith('AUTH')));
};

/** A mechanism of the server's, to be answered by one of ours. */
export const scripted = (name: string, script: SignIn, more: Partial<ServerOptions> = {}): Promise<TestServer> => startServer({ signIn: { [name]: script }, ...more });
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
