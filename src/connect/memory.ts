import type { ConnectionPlan } from '../protocol/connection-plan.js';
import { SmtpAuthenticationError, SmtpConnectionError, type SmtpError } from '../protocol/error.js';
import { isRefusedForGood } from '../session/sign-in-errors.js';

// So long (ms) what was refused is not tried again: many mails that each try a wrong password get an account locked.
const REFUSAL_HOLDS = 60_000;

/** What a client has learned of its host, and uses for its next connection. */
export class Memory {
  /** The candidate that opened last. */
  opened: ConnectionPlan | undefined;
  /** The host can do TLS: from now on clear text is no last resort any more, whoever hides it. */
  metTls = false;
  readonly #signsInAsBefore: boolean;
  #refused: { readonly error: SmtpError; readonly until: number } | undefined;

  /** @param signsInAsBefore with the same credentials each time. */
  constructor(signsInAsBefore: boolean) {
    this.#signsInAsBefore = signsInAsBefore;
  }

  /** The sign-in to the server or a proxy that was refused for good, as long as that is held against the next one. */
  refusal(now: number): SmtpError | undefined {
    return this.#refused !== undefined && now < this.#refused.until ? this.#refused.error : undefined;
  }

  /** Somebody asks for another try. */
  forgive(): void {
    this.#refused = undefined;
  }

  /** What another try would not change is remembered: of a server where the credentials stay the same, of a proxy always. */
  failed(error: unknown, now: number): void {
    // Those that were on their way meanwhile bring the same refusal.
    if (this.refusal(now) !== undefined) return;
    if ((this.#signsInAsBefore && isRefusedForGood(error)) || isRefusedByProxy(error)) this.#refused = { error: remembered(error), until: now + REFUSAL_HOLDS };
  }
}

const isRefusedByProxy = (error: unknown): error is SmtpConnectionError => error instanceof SmtpConnectionError && error.code === 'E_PROXY' && error.reason === 'authentication';

/** As those are told who did not ask themselves. */
const remembered = (error: SmtpAuthenticationError | SmtpConnectionError): SmtpError => {
  const message = `${error.message} It was not asked again: a refusal holds for a minute, or until verify() is called.`;
  return error instanceof SmtpAuthenticationError ? new SmtpAuthenticationError(Object.assign({}, error, { message })) : new SmtpConnectionError(error.code, Object.assign({}, error, { message }));
};
