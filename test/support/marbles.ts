import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { expect } from 'vitest';

/** Runs a picture in virtual time. */
export const inVirtualTime = (picture: (helpers: RunHelpers, scheduler: TestScheduler) => void): void => {
  const scheduler = new TestScheduler((actual, expected) => { expect(actual).toEqual(expected); });
  scheduler.run((helpers) => { picture(helpers, scheduler); });
};
