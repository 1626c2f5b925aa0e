import type { SchedulerLike } from 'rxjs';
import { Capabilities } from '../../src/protocol/capabilities.js';
import { Redactor } from '../../src/protocol/redactor.js';
import { makeReply } from '../../src/protocol/reply.js';
import { DEFAULT_TIMEOUTS, type Timeouts } from '../../src/protocol/timeouts.js';
import { Manners } from '../../src/session/manners.js';
import { Session } from '../../src/session/session.js';
import type { State } from '../../src/session/state.js';
import type { ByteStream } from '../../src/transport/byte-stream.js';
import { monotonic } from '../../src/transport/clock.js';
import { Wire } from '../../src/wire/wire.js';

interface FakeContext {
  readonly scheduler?: SchedulerLike;
  readonly timeouts?: Partial<Timeouts>;
}

/** A wire to a server that has greeted. */
export const wireOn = (stream: ByteStream, { scheduler = monotonic, timeouts }: FakeContext = {}): Wire =>
  new Wire(stream, { peer: 'mail.example:25', connection: 1, timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts }, scheduler, redactor: new Redactor(), log: { observed: false, next: () => undefined } }, true);

/** A session on such a wire, with what its server offers. */
export const sessionOn = (wire: Wire, offers: readonly string[] = [], manners = new Manners()): Session => {
  const settings = { pipelining: { enabled: true, depth: undefined } };
  return new Session({ wire, settings, capabilities: Capabilities.fromEhlo(makeReply(250, ['mail.example', ...offers])) } as unknown as State, manners);
};
