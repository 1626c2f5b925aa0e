// How long may it take? Each step has a limit of its own, and `operation` is one over all of them, which no reply resets.
import assert from 'node:assert/strict';
import { lastValueFrom } from 'rxjs';
import { SmtpClient, SmtpTimeoutError, type SmtpOptions } from 'rxsmtp';
import { startServer, type Fault } from 'rxsmtp/testing';

/** The error of a send to a server with this fault. */
const failure = async (fault: Fault, timeouts: NonNullable<SmtpOptions['timeouts']>): Promise<SmtpTimeoutError> => {
  await using server = await startServer({ faults: [fault] });
  await using client = new SmtpClient({ host: server.host, port: server.port, security: 'none', timeouts });
  const error: unknown = await lastValueFrom(client.send({ envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: 'Subject: Hi\r\n\r\nHi\r\n' })).catch((reason: unknown) => reason);
  assert.ok(error instanceof SmtpTimeoutError);
  console.log(`timeouts.${error.limit} in ${error.phase}: ${error.outcome}${error.retryable ? ', a retry is safe' : ''}`);
  return error;
};

// A server that never greets.
assert.equal((await failure({ at: 'greeting', do: 'silence' }, { greeting: 100 })).outcome, 'not-sent');

// A server that answers, but a byte at a time.
assert.equal((await failure({ at: 'ehlo', do: 'dribble', ms: 50 }, { operation: 200 })).limit, 'operation');

// A server that took the mail and says nothing: nobody knows what became of it, so no retry is safe.
assert.equal((await failure({ at: 'end-of-data', do: 'silence' }, { endOfData: 100 })).outcome, 'unknown');
