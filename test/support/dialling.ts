import type { LookupFunction } from 'node:net';
import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import { settings, type SmtpOptions } from '../../src/config/options.js';
import { SmtpError } from '../../src/index.js';
import type { SocketStream } from '../../src/transport/byte-stream.js';
import { deadline } from '../../src/transport/clock.js';
import { dial } from '../../src/transport/dial.js';
import type { Rank } from '../../src/transport/dial-context.js';

/** The way that these options mean to `host:port`. */
export const way = (port: number, options: SmtpOptions, scheduler: SchedulerLike = asyncScheduler, rank: Rank = () => 0): Observable<SocketStream> => {
  const checked = settings(options);
  return dial({ host: checked.host, port }, { settings: checked, operation: deadline(scheduler, 'operation', Infinity), scheduler, rank });
};

export const failureOf = (stream$: Observable<SocketStream>): Promise<SmtpError> =>
  new Promise((resolve, reject) => {
    stream$.subscribe({
      next: (stream) => { stream.destroy(); reject(new Error('It opened.')); },
      error: (error: unknown) => { if (error instanceof SmtpError) resolve(error); else reject(new Error('not an SmtpError', { cause: error })); },
    });
  });

/** A resolver that knows one answer. */
export const answers = (...addresses: readonly string[]): LookupFunction => (_host, _options, found) => {
  found(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
};
