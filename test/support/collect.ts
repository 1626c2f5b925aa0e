import type { Observable } from 'rxjs';
import { SmtpError, type SmtpEvent } from '../../src/index.js';

/** Everything that a stream told, and how it ended. */
export interface Told {
  readonly events: readonly SmtpEvent[];
  readonly types: readonly string[];
  readonly error: SmtpError | undefined;
}

export const collect = (events$: Observable<SmtpEvent>): Promise<Told> =>
  new Promise((resolve, reject) => {
    const events: SmtpEvent[] = [];
    const end = (error?: SmtpError): void => { resolve({ events, types: events.map(({ type }) => type), error }); };
    events$.subscribe({
      next: (event) => { events.push(event); },
      error: (error: unknown) => { if (error instanceof SmtpError) end(error); else reject(new Error('not an SmtpError', { cause: error })); },
      complete: () => { end(); },
    });
  });

export const eventOf = <T extends SmtpEvent['type']>({ events }: Told, type: T): Extract<SmtpEvent, { type: T }> => {
  const found = events.find((event): event is Extract<SmtpEvent, { type: T }> => event.type === type);
  if (found === undefined) throw new Error(`No ${type} among ${events.map((event) => event.type).join(', ')}`);
  return found;
};
