// Turns a stream of orders into mails, three at a time. An error becomes a value, so that one bad address does not stop the others.
import assert from 'node:assert/strict';
import { catchError, from, lastValueFrom, map, mergeMap, of, toArray, type Observable } from 'rxjs';
import { receipts, retryWhenSafe, SmtpClient, SmtpError } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

interface Order { readonly id: number; readonly customer: string }
type Result = { readonly id: number; readonly sent: true } | { readonly id: number; readonly sent: false; readonly why: string };

await using server = await startServer({
  onRecipient: (path) => (path.startsWith('gone@') ? '550 5.1.1 No such user here' : undefined),
});
await using client = new SmtpClient({ host: 'localhost', port: server.port, security: 'starttls', tls: { ca: server.ca } });

const orders$: Observable<Order> = from([1, 2, 3, 4, 5, 6].map((id) => ({ id, customer: id === 4 ? 'gone@example.org' : `customer${id}@example.org` })));

const confirm = ({ id, customer }: Order): Observable<Result> =>
  client.send({ from: 'shop@example.com', to: customer, subject: `Order ${id}`, text: 'It is on its way.' }).pipe(
    retryWhenSafe({ count: 3 }),
    receipts(),
    map((): Result => ({ id, sent: true })),
    catchError((error: unknown) => of<Result>({ id, sent: false, why: error instanceof SmtpError ? error.outcome : String(error) })),
  );

const results = await lastValueFrom(orders$.pipe(mergeMap(confirm, 3), toArray()));
for (const result of results) console.log(result.id, result.sent ? 'sent' : result.why);

assert.equal(server.messages.length, 5);
assert.equal(server.sessions.length, 3);
assert.deepEqual(results.filter(({ sent }) => !sent), [{ id: 4, sent: false, why: 'refused' }]);
