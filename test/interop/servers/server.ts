import type { SecurityMode } from '../../../src/index.js';
import type { Daemon } from '../machine/daemon.js';

/** Where the mail of one user lands, and how it looks there. */
export interface Mailbox {
  /** A Maildir. */
  readonly folder: string;
  readonly lineEnd: '\r\n' | '\n';
}

/** One way in. */
export interface Door {
  readonly port: number;
  readonly security: SecurityMode;
  /** Nobody sends without signing in. */
  readonly needsAuth?: boolean;
  /** SASL mechanisms that work here. */
  readonly mechanisms?: readonly string[];
}

/** A mail server that the suite starts. */
export interface Server {
  readonly name: string;
  /** Debian packages to install. */
  readonly packages: readonly string[];
  readonly doors: readonly Door[];
  /** The step that a refused sender is told at. */
  readonly refusesSendersAt: 'mail' | 'rcpt';
  mailbox(user: string): Mailbox;
  /** Resolves when it greets. */
  start(): Promise<Daemon>;
}
