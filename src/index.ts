// Sending
export { SmtpClient, type BulkOptions } from './client.js';
export type { ExternalAuth, PasswordAuth, TokenAuth } from './config/auth.js';
export type { SmtpOptions } from './config/options.js';
export type { PoolOptions } from './config/pool.js';
export { proxyFromEnv, type ProxyOptions } from './config/proxy.js';
export type { TlsOptions } from './config/tls.js';
export type { Address, Attachment, ComposedMessage, DeliveryOptions, Message, RawMessage } from './message/message.js';
export type { Content } from './message/content.js';
export type { Envelope, Recipient } from './protocol/envelope.js';
export type { SocketSource } from './transport/own-socket.js';
export type { KeyMaterial, LocalBinding, LocalEndpoint, LookupFunction } from './transport/settings.js';

// Events, receipts and states
export type { AcceptedEvent, CertificateSummary, ConnectEvent, ReadyEvent, Receipt, ReceiptPart, RefusedRecipient, SmtpEvent, Timings, TransactionEvent, WarningEvent } from './protocol/event.js';
export type { Capabilities, Limits } from './protocol/capabilities.js';
export type { ConnectionPlan, Endpoint, SecurityMode, TlsVersion } from './protocol/connection-plan.js';
export type { LogLine } from './protocol/log-line.js';
export type { BulkEvent, FailedEvent } from './pool/bulk.js';
export type { CloseReport, PoolState } from './pool/pool-state.js';
export type { Reply } from './protocol/reply.js';
export type { Limit, Timeouts } from './protocol/timeouts.js';

// Errors
export {
  SmtpAuthenticationError, SmtpConnectionError, SmtpError, SmtpFallbackError, SmtpPartialError, SmtpProtocolError, SmtpReplyError, SmtpSourceError,
  SmtpTimeoutError, SmtpUsageError, type ConnectionErrorCode, type Outcome, type Phase,
} from './protocol/error.js';

// Operators
export { receipts } from './operators/receipts.js';
export { retryWhenSafe, type RetryOptions } from './operators/retry-when-safe.js';
export { sendMail } from './operators/send-mail.js';

// Mechanisms for the option `auth`, and the types to write your own
export { anonymous } from './sasl/anonymous.js';
export { SaslError, type SaslMechanism } from './sasl/mechanism.js';
export type { TokenFunction } from './session/token-source.js';
