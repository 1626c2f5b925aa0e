import { lastValueFrom, toArray } from 'rxjs';
import type { BulkEvent, Message, SmtpClient, SmtpOptions } from '../../src/index.js';
import type { TestServer } from '../../src/testing/index.js';
import { clientOf as clearClientOf } from './clear-client.js';

/** A client whose mails share one connection. */
export const clientOf = (server: Pick<TestServer, 'host' | 'port'>, options: Partial<SmtpOptions> = {}): SmtpClient => clearClientOf(server, { pool: { maxConnections: 1 }, ...options });

export const mailOf = (number: number, to = 'bob@example.org'): Message =>
  ({ envelope: { from: `ann${String(number)}@example.com`, to: [to] }, raw: `Subject: ${String(number)}\r\n\r\n${'.line\r\n'.repeat(number * 10)}` });

export const mails = (count: number): readonly Message[] => Array.from({ length: count }, (_, index) => mailOf(index));

/** What became of each mail, by its place: the phase of its failure, or `accepted`. */
export const outcomes = (events: readonly BulkEvent[]): readonly string[] =>
  events.filter((event) => event.type === 'accepted' || event.type === 'failed').sort((a, b) => a.index - b.index)
    .map((event) => (event.type === 'failed' ? `${event.error.outcome} ${event.error.phase}` : 'accepted'));

export const sendAll = (client: SmtpClient, source: Iterable<Message>): Promise<BulkEvent[]> => lastValueFrom(client.sendAll(source).pipe(toArray()));
