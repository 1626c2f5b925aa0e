import type { Capabilities } from '../protocol/capabilities.js';
import type { ReadyEvent } from '../protocol/event.js';
import type { Wire } from '../wire/wire.js';
import type { SessionSettings } from './settings.js';
import type { State } from './state.js';

/** A connection on which a mail can start. */
export class Session {
  readonly wire: Wire;
  readonly capabilities: Capabilities;
  readonly settings: SessionSettings;
  /** The last transaction did not end well: RSET goes in front of the next, because some servers keep it open. */
  needsReset = false;
  /** Mails that were begun here. */
  mails = 0;

  constructor({ wire, capabilities, settings }: State) {
    this.wire = wire;
    this.capabilities = capabilities;
    this.settings = settings;
  }

  /** The next mail may start here. */
  get isUsable(): boolean {
    return this.wire.idle;
  }

  /** What a mail begins with on a connection that was open already. */
  get ready(): ReadyEvent {
    const { capabilities } = this;
    return { type: 'ready', capabilities, supportedAuthentication: capabilities.authentication, secure: this.wire.stream.tls !== undefined, reused: true };
  }
}
