import { map, tap, type Observable } from 'rxjs';
import type { SmtpClient } from '../index.js';
import { writeLine, type Io } from './io.js';
import type { ServerValues } from './server.js';
import { style } from './style.js';

const MARKS = { client: '>', server: '<', note: '-' } as const;

/** The dialogue, shown with --verbose. Tells with each line whether it was the end of the content that left. */
export const dialogue = (client: SmtpClient, { verbose }: ServerValues, { stderr }: Io): Observable<boolean> =>
  client.log$.pipe(
    tap(({ connection, from, text }) => { if (verbose === true) writeLine(stderr, style(stderr, 'gray', `  #${connection} ${MARKS[from]} ${text}`)); }),
    // The log counts the content in one line, and does so when its last byte leaves.
    map(({ from, text }) => from === 'client' && /^\d+ bytes of content$/.test(text)),
  );
