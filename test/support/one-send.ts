import { expect } from 'vitest';
import { MAIL } from './clear-client.js';
import type { Told } from './collect.js';

/** The stream looks like that of one send of such a mail as `MAIL`. */
export const expectOneSend = ({ events, types, error }: Told, to: readonly string[]): void => {
  expect(error).toBeUndefined();
  for (const once of ['ready', 'sender-accepted', 'accepted']) expect(types.filter((type) => type === once)).toEqual([once]);
  expect(types.at(-1)).toBe('accepted');
  expect(events.flatMap((event) => (event.type === 'recipient-accepted' || event.type === 'recipient-refused' ? [event.recipient] : [])).sort()).toEqual([...to].sort());
  const positions = events.flatMap((event) => (event.type === 'progress' ? [event.bytesSent] : []));
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(positions.at(-1)).toBe(MAIL.raw.length);
  // A stream tells its end once more; later parts tell nothing.
  expect(positions.length).toBeLessThanOrEqual(2);
};
