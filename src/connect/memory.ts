import type { ConnectionPlan } from '../protocol/connection-plan.js';
import { copyOf, SmtpConnectionError, SmtpError, SmtpTimeoutError } from '../protocol/error.js';
import { isOfAll } from '../protocol/timeouts.js';
import { isRefusedForGood } from '../session/sign-in-errors.js';
import { isStartTlsMissing } from '../session/starttls-missing.js';
import { NO_TLS } from '../transport/tls-error.js';

// So long (ms) what was refused is not tried again: many mails that each try a wrong password get an account locked.
const REFUSAL_HOLDS = 60_000;

// So long (ms) an address comes last that failed: a backend that is down stays so for longer than a mail waits for its first retries, and one that is well again is to get its share.
const AILS = 60_000;

// A name may have other addresses each time that it is looked up.
const MOST_AILING = 64;

/** Whose server took the connection, at one door, and did no more. */
interface Ailing {
  readonly plan: ConnectionPlan;
  readonly address: string;
  readonly until: number;
}

/** What a client has learned of its host, and uses for its next connection. */
export class Memory {
  /** The candidate that opened last. */
  opened: ConnectionPlan | undefined;
  /** The host can do TLS: from now on clear text is no last resort any more, whoever hides it. */
  metTls = false;
  readonly #signsInAsBefore: boolean;
  /** The longest ago first. */
  #ailing: readonly Ailing[] = [];
  #refused: { readonly error: SmtpError; readonly until: number } | undefined;

  /** @param signsInAsBefore with the same credentials each time. */
  constructor(signsInAsBefore: boolean) {
    this.#signsInAsBefore = signsInAsBefore;
  }

  /** The sign-in to the server or a proxy that was refused for good, as long as that is held against the next one: a new error each time. */
  refusal(now: number): SmtpError | undefined {
    return this.#refused !== undefined && now < this.#refused.until ? copyOf(this.#refused.error) : undefined;
  }

  /** Somebody asks for another try. */
  forgive(): void {
    this.#refused = undefined;
  }

  /** What another try would not change is remembered: of a server where the credentials stay the same, of a proxy always. */
  failed(error: unknown, now: number): void {
    // Those that were on their way meanwhile bring the same refusal.
    if (this.refusal(now) !== undefined) return;
    if ((this.#signsInAsBefore && isRefusedForGood(error, this.opened !== undefined)) || isRefusedByProxy(error)) this.#refused = { error: remembered(error), until: now + REFUSAL_HOLDS };
  }

  /** A connection to that address came no further. */
  failedAt(address: string, plan: ConnectionPlan, error: unknown, now: number): void {
    if (!isOfAddress(error)) return;
    const others = this.#ailing.filter((one) => one.address !== address || one.plan !== plan);
    this.#ailing = [...others, { plan, address, until: now + AILS }].slice(-MOST_AILING);
  }

  /** When an address has its turn: the higher, the later. Those that failed come last, the one that did so most recently behind the others. */
  rank(address: string, plan: ConnectionPlan, now: number): number {
    return this.#ailing.findIndex((one) => one.address === address && one.plan === plan && now < one.until);
  }
}

const isRefusedByProxy = (error: unknown): error is SmtpConnectionError => error instanceof SmtpConnectionError && error.code === 'E_PROXY' && error.reason === 'authentication';

/** The server there refused the connection, hung up or stayed silent. What it offers, what it thinks of a sign-in, and its certificate, are about the host. */
const isOfAddress = (error: unknown): boolean => {
  // How long its caller waits says nothing of the server.
  if (!(error instanceof SmtpError) || (error instanceof SmtpTimeoutError && isOfAll(error.limit))) return false;
  if (error.phase === 'tls') return error instanceof SmtpTimeoutError || (error instanceof SmtpConnectionError && NO_TLS.has(error.reason));
  return error.phase === 'greeting' || error.phase === 'hello' || (error.phase === 'starttls' && !isStartTlsMissing(error));
};

/** As those are told who did not ask themselves. */
const remembered = (error: SmtpError): SmtpError => copyOf(error, `${error.message} It was not asked again: a refusal holds for a minute, or until verify() is called.`);
