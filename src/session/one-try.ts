import { concatMap, defer, finalize, Observable, race, take, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { copyOf, isSilence, type SmtpError } from '../protocol/error.js';
import { isRefusedForGood } from './sign-in-errors.js';

/** One sign-in that wants to try a password. */
interface Turn {
  begin(): void;
  fail(error: SmtpError): void;
}

/** How a password fares with its server. */
class Trial {
  isTaken = false;
  /** The last one got no answer. */
  #wasUnanswered = false;
  #trying: Turn | undefined;
  readonly #waiting: Turn[] = [];

  /** Emits when it may be tried. Who gives up before is not waited for. */
  readonly turn$ = new Observable<Turn>((subscriber) => {
    const turn: Turn = {
      begin: () => { subscriber.next(turn); },
      fail: (error) => { subscriber.error(error); },
    };
    this.#enter(turn);
    return () => {
      const place = this.#waiting.indexOf(turn);
      if (place >= 0) this.#waiting.splice(place, 1);
    };
  }).pipe(take(1));

  #enter(turn: Turn): void {
    if (this.#trying !== undefined) {
      this.#waiting.push(turn);
      return;
    }
    this.#trying = turn;
    turn.begin();
  }

  taken(): void {
    this.isTaken = true;
    for (const turn of this.#waiting.splice(0)) turn.begin();
  }

  refused(error: SmtpError): void {
    this.isTaken = this.#wasUnanswered = false;
    this.#failAll(error);
  }

  /** Twice in a row it is the server, and not the one connection: then nobody waits for the same once more. */
  unanswered(error: SmtpError): void {
    if (this.#wasUnanswered) this.#failAll(error);
    this.#wasUnanswered = true;
  }

  #failAll(error: SmtpError): void {
    for (const turn of this.#waiting.splice(0)) turn.fail(copyOf(error));
  }

  left(turn: Turn): void {
    if (this.#trying !== turn) return;
    this.#trying = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#enter(next);
  }
}

const trials = new WeakMap<object, Trial>();

const trialOf = (credentials: object): Trial => {
  const trial = trials.get(credentials) ?? new Trial();
  trials.set(credentials, trial);
  return trial;
};

/**
 * Many tries of a wrong password get an account locked. Until a server has taken these credentials, and from its next refusal on, one
 * sign-in at a time tries them, and the others wait. When they are taken, all go on together. A refusal is one for all that wait, and
 * so is the second silence in a row. Whatever else becomes of a try, the next one has its turn.
 * @param lost$ fails when there is nothing to wait for any more.
 */
export const oneTry = <T>(credentials: object, lost$: Observable<never>): MonoTypeOperatorFunction<T> => (source) =>
  defer(() => {
    const trial = trialOf(credentials);
    const tried$ = source.pipe(tap({
      next: () => { trial.taken(); },
      error: (error: unknown) => {
        if (isRefusedForGood(error, trial.isTaken)) trial.refused(error);
        else if (isSilence(error)) trial.unanswered(error);
      },
    }));
    if (trial.isTaken) return tried$;
    return race(trial.turn$, lost$).pipe(concatMap((turn) => tried$.pipe(finalize(() => { trial.left(turn); }))));
  });
