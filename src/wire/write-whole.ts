import type { Unsubscribable } from 'rxjs';
import { bdat } from '../protocol/command.js';
import { dotted } from '../protocol/content-encoder.js';
import type { Deadline } from '../transport/clock.js';
import { expireWith } from './exchange.js';
import { Expectation, type ReplySink } from './expectation.js';
import type { Wire } from './wire.js';
import { END_OF_CONTENT, replyTo, writeLast } from './write-data.js';

/** Content on its way in one write. */
interface Writing extends Unsubscribable {
  /** All of it, with its end. */
  readonly hasLeft: boolean;
}

/** Writes content, in canonical lines, behind a 354. Tells the reply to it. */
export const writeWholeData = (wire: Wire, content: Buffer, operation: Deadline, sink: ReplySink): Writing => {
  const due = replyTo(wire, sink);
  return write(wire, due, operation, sink, () => writeLast(wire, due, [dotted(content), END_OF_CONTENT], content.length));
};

/** Writes content as the only chunk of an envelope that was taken (RFC 3030). Tells the reply to it. */
export const writeWholeChunk = (wire: Wire, content: Buffer, operation: Deadline, sink: ReplySink): Writing => {
  const command = bdat(content.length, true);
  const due = new Expectation([command], sink);
  // The server may have said goodbye behind the last reply to the envelope: then none of it leaves.
  if (wire.failed) due.phase = 'body';
  return write(wire, due, operation, sink, () => {
    wire.say([command]);
    wire.write(content);
    wire.note([command], content.length);
    return true;
  });
};

const write = (wire: Wire, due: Expectation, operation: Deadline, sink: ReplySink, allOfIt: () => boolean): Writing => {
  const expiring = expireWith(wire, operation, () => due, (error) => { sink.error(error); });
  wire.expect(due);
  const hasLeft = !wire.failed && !due.isAnswered && allOfIt();
  return {
    hasLeft,
    unsubscribe: () => {
      expiring.unsubscribe();
      due.sink = undefined;
    },
  };
};
