import { filter, firstValueFrom, skip, takeUntil } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { collect } from '../support/collect.js';
import { listen } from '../support/listen.js';
import { clientOf, mails, outcomes, sendAll } from '../support/many-mails.js';

describe('a server that takes refused content for commands', () => {
  /** Answers when all three mails are there, and 503 to each line of the first one's content, which it should have skipped (RFC 3030 section 2). */
  const heedless = async () => {
    const taken: string[] = [];
    const door = await listen((socket) => {
      let text = '';
      let from = '';
      let hasRecipient = false;
      socket.write('220 heedless\r\n');
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        if (!text.startsWith('EHLO') && !/(?:BDAT[^]*){3}end\r\n$/.test(text)) return;
        for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
          const line = text.slice(0, end);
          text = text.slice(end + 2);
          if (line.startsWith('EHLO')) socket.write('250-heedless\r\n250-PIPELINING\r\n250 CHUNKING\r\n');
          else if (line.startsWith('MAIL') && !line.includes('ann0@')) { from = line; socket.write('250 ok\r\n'); }
          else if (line.startsWith('RCPT') && from !== '') { hasRecipient = true; socket.write('250 ok\r\n'); }
          else if (line.startsWith('BDAT') && hasRecipient) { taken.push(from); text = text.slice(Number(line.split(' ')[1])); socket.write('250 queued\r\n'); }
          else if (line === 'RSET') { from = ''; hasRecipient = false; socket.write('250 ok\r\n'); }
          else socket.write(line.startsWith('MAIL') ? '550 5.7.1 not you\r\n' : '503 5.5.1 bad sequence\r\n');
        }
      });
    });
    return { ...door, taken };
  };

  it.each([1, 2, 4, 6, 8])('leaves the mails behind it in doubt and has none twice: %d lines', async (lines) => {
    await using server = await heedless();
    const client = clientOf(server);
    const source = mails(3).map((mail) => ({ ...mail, raw: `${'line\r\n'.repeat(lines - 1)}end\r\n` }));
    expect(outcomes(await sendAll(client, source))).toEqual(['refused mail', 'unknown end-of-data', 'unknown end-of-data']);
    await client.close();
    expect(server.taken).toHaveLength(2);
  });

  it('leaves a mail in doubt also where the one before it was cancelled', async () => {
    await using server = await heedless();
    const client = clientOf(server);
    const haveLeft = firstValueFrom(client.log$.pipe(filter(({ text }) => text.endsWith('bytes of content')), skip(2)));
    const [first, , last] = mails(3).map((mail, index) => {
      const sending$ = client.send({ ...mail, raw: 'line\r\nline\r\nline\r\nend\r\n' });
      return collect(index === 1 ? sending$.pipe(takeUntil(haveLeft)) : sending$);
    });
    expect((await first)?.error).toMatchObject({ phase: 'mail', outcome: 'refused' });
    expect((await last)?.error).toMatchObject({ phase: 'end-of-data', outcome: 'unknown', retryable: false });
    await client.close();
  });
});
