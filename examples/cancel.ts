// Cancels by unsubscribing, in three ways. The server accepts no half mail, and no connection is left open.
import assert from 'node:assert/strict';
import { concatMap, delay, from, lastValueFrom, of, switchMap, takeWhile, timeout } from 'rxjs';
import { receipts, SmtpClient } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

// In its second session it never answers MAIL.
await using server = await startServer({ faults: [{ at: 'mail', do: 'silence', session: 2 }] });
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });
const mail = (text: string) => ({ from: 'ann@example.com', to: 'bob@example.org', subject: text, text });

// A large mail is cancelled half-way; takeUntil(button$) would do it too.
const large = { envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: `Subject: large\r\n\r\n${'0123456789\r\n'.repeat(1_000_000)}` };
await lastValueFrom(client.send(large).pipe(takeWhile((event) => event.type !== 'progress' || event.bytesSent < 6e6)));

// It takes too long.
const answer = await lastValueFrom(client.send(mail('late')).pipe(receipts(), timeout({ first: 500, with: () => of('too late') })));
assert.equal(answer, 'too late');

// Only the newest draft is wanted: each one cancels the send of the one before it.
const drafts$ = from(['a draft', 'a better draft', 'the final text']).pipe(concatMap((text) => of(text).pipe(delay(1))));
await lastValueFrom(drafts$.pipe(switchMap((text) => client.send(mail(text)))));

await client.close();
await server.idle();
const delivered = server.messages.map(({ content }) => /^Subject: (.*)\r$/m.exec(content.toString())?.[1]);
console.log('delivered:', delivered);
assert.deepEqual(delivered, ['the final text']);
