import { nextTick } from 'node:process';

/** The `nextTick` of when this file was loaded: fake timers put their own into its place later, and what waits for that never comes. */
export const soon = nextTick;
