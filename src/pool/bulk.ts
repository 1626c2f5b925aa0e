import type { Observable, ObservableInput } from 'rxjs';
import type { Message } from '../message/message.js';
import { SmtpError } from '../protocol/error.js';
import type { SmtpEvent, WarningEvent } from '../protocol/event.js';
import { pullMap, type Handling, type Outcomes, type Room } from './pull-map.js';

/** One mail of many failed; the others go on. */
export interface FailedEvent {
  readonly type: 'failed';
  readonly error: SmtpError;
}

/** Which mail of many. */
interface Label {
  /** As the source gave it. */
  readonly message: Message;
  /** Its place in the source, counted from 0. */
  readonly index: number;
}

/**
 * An event of one mail of many, with its `message` and `index`. Two events already have a field of that name: so a warning's text is
 * `text` here, and the number of an attempt is `attempt`.
 */
export type BulkEvent = Labelled<SmtpEvent | FailedEvent>;

interface Attempt {
  /** The number of the attempt, counted from 0: `index` in an event of `send()`. */
  readonly attempt: number;
}

type Labelled<E> = E extends WarningEvent ? Omit<E, 'message'> & Label & { readonly text: string }
  : E extends { readonly index: number } ? Omit<E, 'index'> & Label & Attempt
    : E & Label;

// Those that every mail has go field by field: a spread costs several times as much, and its copies outlive their use.
const label = (event: SmtpEvent, message: Message, index: number): BulkEvent => {
  const { type } = event;
  switch (type) {
    case 'ready': return { type, capabilities: event.capabilities, supportedAuthentication: event.supportedAuthentication, secure: event.secure, reused: event.reused, message, index };
    case 'sender-accepted': return { type, reply: event.reply, message, index };
    case 'recipient-accepted': return { type, recipient: event.recipient, reply: event.reply, message, index };
    case 'progress': return event.bytesTotal === undefined ? { type, bytesSent: event.bytesSent, message, index } : { type, bytesSent: event.bytesSent, bytesTotal: event.bytesTotal, message, index };
    case 'accepted': return { type, receipt: event.receipt, message, index };
    case 'warning': return { ...event, text: event.message, message, index };
    case 'attempt-started': case 'attempt-failed': return { ...event, attempt: event.index, message, index };
    default: return { ...event, message, index };
  }
};

/** Sends what a source gives, as there is room. */
export const sendEach = <D>(messages: ObservableInput<Message>, handling: Handling<Message, D, SmtpEvent>, room: Room): Observable<BulkEvent> => pullMap(messages, handling, room, LABELS);

const LABELS: Outcomes<Message, SmtpEvent, BulkEvent> = {
  value: label,
  failure: (error, message, index) => {
    if (!(error instanceof SmtpError)) throw error;
    return { type: 'failed', error, message, index };
  },
};
