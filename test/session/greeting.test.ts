import { of } from 'rxjs';
import { expect, it } from 'vitest';
import { settings, type SmtpOptions } from '../../src/config/options.js';
import type { SmtpError } from '../../src/protocol/error.js';
import { Manners } from '../../src/session/manners.js';
import { openSession } from '../../src/session/open-session.js';
import { deadline } from '../../src/transport/clock.js';
import { FakeStream } from '../support/fake-stream.js';
import { inVirtualTime } from '../support/marbles.js';

const BYTES = { t: Buffer.from('220-mail.example ESMTP\r\n'), g: Buffer.from('220 mail.example ESMTP\r\n') };

/** What came of a greeting whose bytes come so, and when (ms). */
const greeted = (picture: string, options: Partial<SmtpOptions>): string => {
  let told = '';
  inVirtualTime(({ cold }, scheduler) => {
    const checked = settings({ host: 'mail.example', port: 587, ...options });
    const tell = (what: string): void => { told ||= `${what} at ${String(scheduler.now())}`; };
    openSession(of(new FakeStream(cold(picture, BYTES))), {
      plan: { host: 'mail.example', port: 587, security: 'none' }, settings: checked, operation: deadline(scheduler, 'operation', Infinity), scheduler, log: { observed: false, next: () => undefined }, connection: 1,
    }, { leave: () => undefined, handOver: () => true, manners: new Manners() }).subscribe({
      next: ({ type }) => { if (type === 'greeted') tell(type); },
      error: (error: unknown) => { tell((error as SmtpError).message); },
    });
  });
  return told;
};

const SILENT = 'Waiting for mail.example:587 to greet in clear text (a door for implicit TLS stays silent): nothing came within timeouts.greeting';
const UNENDED = 'Waiting for the end of the greeting of mail.example:587: nothing came within timeouts.greeting';

it.each<[string, string, Partial<SmtpOptions>, string]>([
  ['a silent door has 5 s, where there are others', '6s g', { security: 'auto' }, `${SILENT} = 5000 ms. Check the host, the port and "security", or raise that limit. at 5000`],
  ['and 30 s where there is none', '31s g', { security: 'none' }, `${SILENT} = 30000 ms. Check the host, the port and "security", or raise that limit. at 30000`],
  ['a greeting that has begun by then has 30 s', 't 6s g', { security: 'auto' }, 'greeted at 6001'],
  ['from the connection', '4s t 27s g', { security: 'tls' }, `${UNENDED} = 30000 ms. Try again later, or raise that limit. at 30000`],
  ['or as long as is said', 't 6s g', { security: 'auto', timeouts: { greeting: 2000 } }, `${UNENDED} = 2000 ms. Try again later, or raise that limit. at 2000`],
])('%s', (_, picture, options, expected) => {
  expect(greeted(picture, options)).toBe(expected);
});
