import type { Observer } from 'rxjs';
import type { CheckedRecipient } from '../message/envelope.js';
import type { Mail } from '../message/mail.js';
import { SmtpError, SmtpPartialError, SmtpReplyError, withRefused, type Phase } from '../protocol/error.js';
import type { Receipt, RefusedRecipient, SmtpEvent, Timings } from '../protocol/event.js';
import { isFarewell, type Reply } from '../protocol/reply.js';
import type { Part } from '../session/envelope-plan.js';
import { isGoodbyeToRecipient } from '../session/judge-envelope.js';
import type { Listener } from './delivery.js';

/** May the recipients be told to the server in several transactions? The content must be there for each. */
export const mayComeInParts = ({ replayable, envelope: { to } }: Mail): boolean => replayable && to.length > 1;

/**
 * A mail whose recipients may be too many for one transaction: those without a verdict are due in the next one, until nobody
 * is left. What happens in all of them is told as one send, with one receipt.
 */
export class InParts implements Part, Observer<SmtpEvent> {
  due: readonly CheckedRecipient[];
  most = MOST_AT_FIRST;
  named: readonly CheckedRecipient[] = [];
  borne = 0;
  readonly #mail: Mail;
  readonly #observer: Listener;
  /** Who got a verdict in the current part. */
  #told: string[] = [];
  #refused: RefusedRecipient[] = [];
  /** Of each part that the server took. */
  readonly #receipts: Receipt[] = [];
  /** Why the server took none of a part: the first time, but for now before for good, because a retry may reach those. */
  #refusal: SmtpError | undefined;
  #hasBegun = false;
  /** The server hung up on more. */
  #mostEver = Infinity;

  constructor(mail: Mail, observer: Listener) {
    this.#mail = mail;
    this.#observer = observer;
    this.due = mail.envelope.to;
  }

  get closed(): boolean {
    return this.#observer.closed === true;
  }

  /** The current part has ended: is there another one? It has the recipients that are left, at most twice as many as got a verdict in this one. */
  goesOn(error?: unknown): boolean {
    if (error instanceof SmtpReplyError && isGoodbyeToRecipient(error) && this.#told.length === 0) return this.#goesOnWithFewer();
    if (error !== undefined && !isRefusalOfAll(error)) return false;
    if (error !== undefined && (this.#refusal === undefined || (!this.#refusal.retryable && error.retryable))) this.#refusal = error;
    const left = this.#rest;
    const settled = this.due.length - left.length;
    if (left.length === 0 || settled === 0) return false;
    this.most = Math.min(2 * settled, this.#mostEver);
    this.due = left;
    this.#told = [];
    return true;
  }

  /** A recipient was one too many for the server: those before it, if there are any, are not. */
  #goesOnWithFewer(): boolean {
    const most = this.borne;
    this.borne = 0;
    if (most === 0) return false;
    this.most = this.#mostEver = most;
    return true;
  }

  next(event: SmtpEvent): void {
    switch (event.type) {
      case 'sender-accepted':
        if (this.#hasBegun) return;
        this.#hasBegun = true;
        break;
      case 'recipient-refused':
        this.#refused.push({ recipient: event.recipient, reply: event.reply });
        this.#told.push(event.recipient);
        break;
      case 'recipient-accepted':
        this.#told.push(event.recipient);
        break;
      case 'progress':
        if (this.#receipts.length > 0) return;
        break;
      case 'accepted':
        this.#receipts.push(event.receipt);
        if (this.#rest.length > 0) return;
        this.#observer.next({ type: 'accepted', receipt: this.due === this.#mail.envelope.to ? event.receipt : this.#joined(event.receipt) });
        return;
    }
    this.#observer.next(event);
  }

  error(error: unknown): void {
    if (!(error instanceof SmtpError)) {
      this.#observer.error(error);
      return;
    }
    const last = this.#receipts.at(-1);
    if (last !== undefined && error instanceof SmtpReplyError && TRANSACTION.has(error.phase)) {
      this.#refuseOthers(error.reply);
      this.#observer.next({ type: 'accepted', receipt: this.#joined(last) });
      this.#observer.complete();
      return;
    }
    this.#refused = this.#allRefused(error);
    if (last === undefined) {
      this.#observer.error(withRefused(isRefusalOfAll(error) ? this.#refusal ?? error : error, this.#refused));
      return;
    }
    const inDoubt = error.outcome === 'unknown' ? this.#unsettled(this.named) : NOBODY;
    const unsent = this.#unsettled(this.due).filter((recipient) => !inDoubt.includes(recipient));
    this.#observer.error(new SmtpPartialError({ cause: error, receipt: this.#joined(last), inDoubt: inDoubt.map(addressOf), unsent: unsent.map(addressOf) }));
  }

  complete(): void {
    this.#observer.complete();
  }

  /** Who got no verdict. */
  get #rest(): readonly CheckedRecipient[] {
    if (this.#told.length === this.due.length) return NOBODY;
    const told = new Set(this.#told);
    return this.due.filter(({ given }) => !told.has(given));
  }

  /** Who was not refused by a reply of their own. */
  #unsettled(recipients: readonly CheckedRecipient[]): readonly CheckedRecipient[] {
    const refused = new Set(this.#refused.map(({ recipient }) => recipient));
    return recipients.filter(({ given }) => !refused.has(given));
  }

  /** In all parts. Of the current one its error knows better: a goodbye to a recipient was no event, and an event may have come of a reply that is not to be trusted. */
  #allRefused({ refused }: SmtpError): RefusedRecipient[] {
    const told = new Set(this.#told);
    const known = new Map([...this.#refused.filter(({ recipient }) => !told.has(recipient)), ...refused].map((one) => [one.recipient, one]));
    return this.#mail.envelope.to.flatMap(({ given }) => known.get(given) ?? []);
  }

  /** The server took the mail for some, and said no to the rest of it. */
  #refuseOthers(reply: Reply): void {
    const told = new Set(this.#told);
    for (const { given: recipient } of this.#unsettled(this.due)) {
      this.#refused.push({ recipient, reply });
      if (!told.has(recipient)) this.#observer.next({ type: 'recipient-refused', recipient, reply });
    }
  }

  #joined(last: Receipt): Receipt {
    const receipts = this.#receipts;
    const places = new Map(this.#mail.envelope.to.map(({ given }, index) => [given, index]));
    const placeOf = (recipient: string): number => places.get(recipient) ?? 0;
    return {
      ...last,
      accepted: receipts.flatMap(({ accepted }) => accepted).sort((a, b) => placeOf(a) - placeOf(b)),
      refused: this.#refused.toSorted((a, b) => placeOf(a.recipient) - placeOf(b.recipient)),
      timings: receipts.map(({ timings }) => timings).reduce(together),
      ...(receipts.length === 1 ? {} : { parts: receipts.map(({ reply, queueId, accepted }) => ({ reply, accepted, ...(queueId === undefined ? {} : { queueId }) })) }),
    };
  }
}

// Where no limit is told, a server may count those that are far too many as errors, and hang up.
const MOST_AT_FIRST = 1_000;

const NOBODY: readonly CheckedRecipient[] = [];

const addressOf = ({ given }: CheckedRecipient): string => given;

/** A reply there is about the mail or its recipients, not about the connection. */
const TRANSACTION: ReadonlySet<Phase> = new Set(['mail', 'rcpt', 'data', 'body', 'end-of-data']);

/** Everybody who was named was refused; the others were not asked for yet. */
const isRefusalOfAll = (error: unknown): error is SmtpReplyError => error instanceof SmtpReplyError && error.phase === 'rcpt' && !isFarewell(error.reply);

const together = (before: Timings, part: Timings): Timings => ({
  connect: before.connect,
  envelope: before.envelope + part.envelope,
  content: before.content + part.content,
  acceptance: before.acceptance + part.acceptance,
  total: part.total,
});
