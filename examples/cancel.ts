// Cancels by unsubscribing, in three ways. The server takes no half mail, and no connection stays behind.
import assert from 'node:assert/strict';
import { catchError, concatMap, defaultIfEmpty, delay, EMPTY, from, lastValueFrom, of, switchMap, takeUntil, filter, timeout, timer } from 'rxjs';
import { receipts, SmtpClient } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

// It reads the content of the first two mails, and never says that it has them.
await using server = await startServer({ faults: [{ at: 'body', do: 'silence', times: 2 }] });
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: ['starttls'], tls: { ca: server.ca }, pool: { maxConnections: 1 } });
const mail = (text: string) => ({ from: 'ann@example.com', to: 'bob@example.org', subject: text, text });

// Somebody presses a button, as soon as the content is on its way.
const first$ = client.send(mail('first'));
let press: () => void = () => undefined;
const button$ = new Promise<void>((resolve) => { press = resolve; });
await lastValueFrom(first$.pipe(
  filter((event) => { if (event.type === 'progress') press(); return event.type === 'accepted'; }),
  takeUntil(from(button$)),
  defaultIfEmpty('cancelled'),
)).then((result) => { assert.equal(result, 'cancelled'); });

// It takes too long.
const late = await lastValueFrom(client.send(mail('second')).pipe(receipts(), timeout({ first: 300, with: () => of('too late') })));
assert.equal(late, 'too late');

// Only the newest draft is wanted: each draft cancels the one before it.
const drafts$ = from(['a draft', 'a better draft', 'the final text']).pipe(concatMap((text) => of(text).pipe(delay(1))));
await lastValueFrom(drafts$.pipe(switchMap((text) => timer(50).pipe(switchMap(() => client.send(mail(text)))))).pipe(catchError(() => EMPTY)));
assert.deepEqual(server.messages.map(({ content }) => /^Subject: (.*)\r$/m.exec(content.toString())?.[1]), ['the final text']);

await client.close();
await server.idle();
console.log('cancelled three times; one mail was delivered');
