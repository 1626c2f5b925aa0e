import type { Choice } from '../sasl/choose.js';
import type { Preparation } from '../sasl/saslprep.js';
import type { SessionCredentials } from './settings.js';
import type { State } from './state.js';

/** One sign-in: where, as whom, what may be used for it, and what was. */
export interface SignIn {
  readonly state: State;
  readonly credentials: SessionCredentials;
  readonly choice: Choice;
  /** What SASLprep does to the user and the password. */
  readonly preparation: Preparation;
  /** The mechanisms that were tried, the current one included. */
  readonly tried: readonly string[];
}
