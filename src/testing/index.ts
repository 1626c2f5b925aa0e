export { expiredCertificate, localhostCertificate, otherCertificate, testAuthority, type Certificate } from './certificates.js';
export type { Fault, FaultAction, FaultPoint } from './fault.js';
export type { ReceivedMessage, ReceivedSession, ServerOptions } from './options.js';
export type { Ask, SignIn } from './sign-in.js';
export { startServer, type TestServer } from './start-server.js';
