import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { RawMessage } from '../../../src/index.js';

/** A content, how it is handed over, and the bytes that have to arrive. */
export interface Case {
  readonly messageId: string;
  readonly raw: RawMessage['raw'];
  readonly expected: Buffer;
}

/** Lines, one byte a character, under a header of their own; the identifier tells mails apart in a mailbox. */
const write = (lines: readonly string[], lineEnd = '\r\n'): { readonly messageId: string; readonly bytes: Buffer } => {
  const messageId = `<${randomUUID()}@interop.test>`;
  const header = [`Message-ID: ${messageId}`, 'Date: Wed, 01 Jan 2025 00:00:00 +0000', 'From: ann@interop.test', 'Subject: interop', ''];
  return { messageId, bytes: Buffer.from([...header, ...lines, ''].join(lineEnd), 'latin1') };
};

const plain = (lines: readonly string[]): Case => {
  const { messageId, bytes } = write(lines);
  return { messageId, raw: bytes, expected: bytes };
};

export const small = (text = 'Hello.'): Case => plain([text]);

const LONGEST = 'x'.repeat(998);

const dots = (): Case => {
  const { messageId, bytes } = write(['.', '..', '.hidden', 'a dot at the end.', '', '.', LONGEST, `.${LONGEST.slice(1)}`, '.'], '\n');
  return { messageId, raw: bytes, expected: Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1') };
};

const eightBit = (): Case => plain([Buffer.from('Grüße, привет, 你好').toString('latin1'), String.fromCharCode(...Array.from({ length: 128 }, (_, index) => 128 + index))]);

const stream = (): Case => {
  const { messageId, bytes } = write(Array.from({ length: 32_768 }, (_, index) => `${index % 7 === 0 ? '.' : ''}${String(index).padStart(8, '0')} ${'m'.repeat(index % 109)}`));
  // Cut at sizes that no line and no buffer has.
  const pieces = function* (): Generator<Buffer> {
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 31) % 8191) yield bytes.subarray(at, at + size);
  };
  return { messageId, raw: () => Readable.from(pieces(), { objectMode: false }), expected: bytes };
};

export const CONTENTS: readonly (readonly [title: string, make: () => Case])[] = [
  ['a small mail', small],
  ['dots, bare LF and the longest lines', dots],
  ['8-bit text', eightBit],
  ['a stream of 2 MB', stream],
];
