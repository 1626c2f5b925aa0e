import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SmtpClient, SmtpError, type SmtpOptions } from '../src/index.js';
import { parseTranscript, replay, type Segmentation, type Transcript } from './support/replay.js';

const folder = new URL('./transcripts/', import.meta.url);
const SEGMENTATIONS: readonly Segmentation[] = ['whole', 'per line', 'per byte'];

/** What the client tells of a send, a line an event or error. */
const outcomeOf = async ({ settings }: Transcript, port: number): Promise<string[]> => {
  const options: SmtpOptions = { host: '127.0.0.1', port, security: ['none'], clientName: 'client.example', pool: false, ...(JSON.parse(settings.options ?? '{}') as object) };
  await using client = new SmtpClient(options);
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    const message = {
      envelope: { from: settings.from ?? 'ann@example.com', to: (settings.to ?? 'bob@example.org').split(' ') },
      raw: JSON.parse(`"${settings.content ?? 'Subject: hello\\r\\n\\r\\nHi\\r\\n'}"`) as string,
    };
    client.send(message).subscribe({
      next: (event) => {
        if (event.type === 'recipient-accepted' || event.type === 'recipient-refused') told.push(`${event.type} ${event.recipient} ${String(event.reply.code)}`);
        else if (event.type === 'accepted') told.push(`accepted ${event.receipt.accepted.join(' ')} ${String(event.receipt.bytes)} bytes`);
        else if (event.type === 'sender-accepted' || event.type === 'authenticated') told.push(event.type);
      },
      error: (error: unknown) => {
        told.push(error instanceof SmtpError ? `error ${error.code} ${error.phase} ${error.outcome}${error.retryable ? ' retryable' : ''}${error.reply === undefined ? '' : ` ${String(error.reply.code)}`}` : String(error));
        resolve();
      },
      complete: resolve,
    });
  });
  return told;
};

describe('transcripts', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.smtp'))) {
    const transcript = parseTranscript(readFileSync(new URL(name, folder), 'utf8'));
    for (const segmentation of SEGMENTATIONS) {
      it(`${transcript.title}: ${segmentation}`, async () => {
        await using server = await replay(transcript, segmentation);
        const [left, told] = await Promise.all([server.done, outcomeOf(transcript, server.port)]);
        expect(left).toBe('');
        expect(told).toEqual(transcript.outcome);
      });
    }
  }
});
