import { expect } from 'vitest';

/** Work on an input so long that it would take many seconds if its time grew with the square. What else the machine does is not counted. */
export const takesNoTime = async (work: () => unknown): Promise<void> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000_000, 'seconds').toBeLessThan(2);
};
