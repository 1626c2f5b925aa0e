// Checked by `npm run typecheck`, never run: what compiles and what must not.
import { EMPTY, type Observable } from 'rxjs';
import { expectTypeOf } from 'vitest';
import {
  receipts, retryWhenSafe, sendMail, SmtpClient, SmtpFallbackError, SmtpPartialError, SmtpReplyError, SmtpTimeoutError, type BulkEvent, type Capabilities, type ConnectEvent, type ConnectionPlan,
  type DeliveryOptions, type ExternalAuth, type KeyMaterial, type Limit, type Limits, type LocalBinding, type LocalEndpoint, type LogLine, type LookupFunction, type Message, type Outcome, type PasswordAuth, type Phase, type PoolOptions, type PoolState, type Receipt, type ReceiptPart, type Reply, type SmtpError, type SmtpEvent,
  type SmtpOptions, type SocketSource, type TlsOptions, type TokenAuth,
} from '../../src/index.js';

declare const client: SmtpClient;
declare const event: SmtpEvent;
declare const error: SmtpError;
declare const give: (message: Message) => void;
declare const bulk: BulkEvent;
declare const messages$: Observable<Message>;

// The client
expectTypeOf<SmtpClient['send']>().returns.toEqualTypeOf<Observable<SmtpEvent>>();
expectTypeOf<SmtpClient['verify']>().returns.toEqualTypeOf<Observable<ConnectEvent>>();
expectTypeOf(client.sendAll([])).toEqualTypeOf<Observable<BulkEvent>>();
expectTypeOf(client.plans).toEqualTypeOf<readonly ConnectionPlan[]>();
expectTypeOf(client.log$).toEqualTypeOf<Observable<LogLine>>();
expectTypeOf(client.state$).toEqualTypeOf<Observable<PoolState>>();
expectTypeOf<SmtpClient['close']>().returns.toEqualTypeOf<Promise<void>>();
expectTypeOf(client).toExtend<AsyncDisposable>();
expectTypeOf<ConnectEvent>().toExtend<SmtpEvent>();

// Operators
expectTypeOf(client.send({ from: 'a@example.com', to: 'b@example.org' }).pipe(receipts())).toEqualTypeOf<Observable<Receipt>>();
expectTypeOf(client.send({ from: 'a@example.com', to: 'b@example.org' }).pipe(retryWhenSafe({ count: 2 }))).toEqualTypeOf<Observable<SmtpEvent>>();

expectTypeOf(messages$.pipe(sendMail(client, { concurrency: 2 }))).toEqualTypeOf<Observable<BulkEvent>>();

expectTypeOf(messages$.pipe(sendMail({ sendAll: () => EMPTY }))).toEqualTypeOf<Observable<BulkEvent>>();

// Events: a union that narrows, and that a switch can exhaust.
switch (event.type) {
  case 'attempt-started': case 'attempt-failed': expectTypeOf(event.plan).toEqualTypeOf<ConnectionPlan>(); break;
  case 'connected': expectTypeOf(event.via).toEqualTypeOf<string | undefined>(); break;
  case 'greeted': case 'sender-accepted': expectTypeOf(event.reply).toEqualTypeOf<Reply>(); break;
  case 'introduced': expectTypeOf(event.capabilities).toEqualTypeOf<Capabilities>(); break;
  case 'secured': expectTypeOf(event.mode).toEqualTypeOf<'implicit' | 'starttls'>(); break;
  case 'authenticated': expectTypeOf(event.mechanism).toEqualTypeOf<string>(); break;
  case 'ready': expectTypeOf(event.supportedAuthentication).toEqualTypeOf<readonly string[]>(); break;
  case 'warning': expectTypeOf(event.code).toEqualTypeOf<`W_${string}`>(); break;
  case 'recipient-accepted': case 'recipient-refused': expectTypeOf(event.recipient).toEqualTypeOf<string>(); break;
  case 'progress': expectTypeOf(event.bytesTotal).toEqualTypeOf<number | undefined>(); break;
  case 'accepted': expectTypeOf(event.receipt).toEqualTypeOf<Receipt>(); break;
  default: expectTypeOf(event).toBeNever();
}
expectTypeOf(bulk.index).toEqualTypeOf<number>();
expectTypeOf(bulk.message).toEqualTypeOf<Message>();
if (bulk.type === 'failed') expectTypeOf(bulk.error).toEqualTypeOf<SmtpError>();
// @ts-expect-error only one of the events has a receipt
expectTypeOf(event.receipt);
// @ts-expect-error events cannot be changed
event.type = 'accepted';

// Errors
expectTypeOf<Outcome>().toEqualTypeOf<'not-sent' | 'refused' | 'accepted' | 'unknown'>();
expectTypeOf<Phase>().toEqualTypeOf<
  | 'options' | 'resolve' | 'connect' | 'proxy' | 'tls' | 'greeting' | 'hello' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'end-of-data'
  | 'reset' | 'idle' | 'quit'>();
expectTypeOf(error).toExtend<Error>();
expectTypeOf(error.code).toEqualTypeOf<`E_${string}`>();
expectTypeOf(error.phase).toEqualTypeOf<Phase>();
expectTypeOf(error.outcome).toEqualTypeOf<Outcome>();
expectTypeOf(error.retryable).toEqualTypeOf<boolean>();
expectTypeOf(error.reply).toEqualTypeOf<Reply | undefined>();
expectTypeOf(error.transcript).toEqualTypeOf<readonly LogLine[]>();
if (error instanceof SmtpReplyError) {
  expectTypeOf(error.reply).toEqualTypeOf<Reply>();
  expectTypeOf(error.recipient).toEqualTypeOf<string | undefined>();
}
if (error instanceof SmtpTimeoutError) expectTypeOf(error.limit).toEqualTypeOf<Limit>();
if (error instanceof SmtpFallbackError) expectTypeOf(error.attempts[0]?.error).toEqualTypeOf<SmtpError | undefined>();
if (error instanceof SmtpPartialError) {
  expectTypeOf(error.receipt).toEqualTypeOf<Receipt>();
  expectTypeOf(error.cause).toEqualTypeOf<SmtpError>();
  expectTypeOf(error.unsent).toEqualTypeOf<readonly string[]>();
}
expectTypeOf<Reply['severity']>().toEqualTypeOf<2 | 3 | 4 | 5>();
expectTypeOf<Receipt['accepted']>().toEqualTypeOf<readonly string[]>();
expectTypeOf<NonNullable<Receipt['parts']>[number]>().toEqualTypeOf<ReceiptPart>();
expectTypeOf<Capabilities['limits']>().toEqualTypeOf<Limits>();

// Options, each by its name
expectTypeOf<SmtpOptions['lookup']>().toEqualTypeOf<LookupFunction | undefined>();
expectTypeOf<SmtpOptions['tls']>().toEqualTypeOf<TlsOptions | undefined>();
expectTypeOf<SmtpOptions['pool']>().toEqualTypeOf<PoolOptions | false | undefined>();
expectTypeOf<SmtpOptions['localEndpoint']>().toEqualTypeOf<LocalEndpoint | undefined>();
expectTypeOf<SmtpOptions['socket']>().toEqualTypeOf<SocketSource | undefined>();
expectTypeOf<PasswordAuth | TokenAuth | ExternalAuth>().toExtend<NonNullable<SmtpOptions['auth']>>();
expectTypeOf<LocalBinding>().toExtend<LocalEndpoint>();
expectTypeOf<KeyMaterial>().toExtend<NonNullable<TlsOptions['ca']>>();
expectTypeOf<Message>().toExtend<DeliveryOptions>();
new SmtpClient('smtps://mail.example.com');
new SmtpClient({ host: 'mail.example.com', security: ['implicit', 'starttls'], timeouts: { greeting: 5_000, operation: Infinity }, pool: false });
// @ts-expect-error a host is needed
new SmtpClient({ port: 587 });
// @ts-expect-error no such mode
new SmtpClient({ host: 'mail.example.com', security: 'ssl' });
// @ts-expect-error no such limit
new SmtpClient({ host: 'mail.example.com', timeouts: { greetings: 5_000 } });
// @ts-expect-error no such version
new SmtpClient({ host: 'mail.example.com', tls: { versions: ['SSLv3'] } });
// @ts-expect-error a user without a password is no login
new SmtpClient({ host: 'mail.example.com', auth: { user: 'ann' } });
// @ts-expect-error no such option
new SmtpClient({ host: 'mail.example.com', secure: true });

// Messages
give({ envelope: { from: null, to: ['b@example.org', { address: 'c@example.org', notify: ['NEVER'] }] }, raw: () => 'Subject: hello\r\n\r\n' });
// @ts-expect-error a raw message needs an envelope
give({ raw: 'Subject: hello\r\n\r\n' });
// @ts-expect-error a composed message needs a sender
give({ to: 'b@example.org', text: 'Hi' });
// @ts-expect-error files are not opened: hand over a stream
give({ from: 'a@example.com', to: 'b@example.org', attachments: [{ path: '/etc/passwd' }] });
