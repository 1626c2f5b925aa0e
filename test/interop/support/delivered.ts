import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { Mailbox } from '../servers/server.js';

/** A mail as it lies in a mailbox. */
export interface Delivered {
  /** What servers wrote before it: `Received`, `Return-Path` and the like. */
  readonly added: string;
  /** From its own first byte, with the line ends that it was sent with. */
  readonly content: Buffer;
}

// Both sides of the comparison are bytes; only CRLF that became LF on disk is written back.
const asSent = (stored: Buffer, { lineEnd }: Mailbox): Buffer =>
  (lineEnd === '\r\n' ? stored : Buffer.from(stored.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'));

const mailsIn = (mailbox: Mailbox): readonly Buffer[] => {
  const folder = join(mailbox.folder, 'new');
  return readdirSync(folder).map((name) => asSent(readFileSync(join(folder, name)), mailbox));
};

/** All copies of a mail that lie in a mailbox; waits for the first, because servers accept before they deliver. */
export const delivered = (mailbox: Mailbox, messageId: string): Promise<readonly Delivered[]> =>
  vi.waitFor(() => {
    const mark = `Message-ID: ${messageId}\r\n`;
    const found = mailsIn(mailbox).filter((mail) => mail.includes(mark)).map((mail) => {
      const start = mail.indexOf(mark);
      return { added: mail.subarray(0, start).toString(), content: mail.subarray(start) };
    });
    if (found.length === 0) throw new Error(`No mail ${messageId} in ${mailbox.folder}`);
    return found;
  }, { timeout: 15_000, interval: 50 });
